import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiClient, ApiError } from '../../../../controllers/lib/client.ts'
import { heartbeat } from '../../../../node-agent/machine/heartbeat.ts'
import { until } from '../../../support/until.ts'

const test = suite('heartbeat')
const LEASE_MS = 40

/** Notes every call; answers with what `answer` says to it, counted from 1. */
function recorded(answer: (verb: string, count: number) => void) {
  const calls: string[] = []
  const verb = (name: string) => async () => {
    calls.push(name)
    answer(name, calls.length)
    return {}
  }
  const client = { get: verb('get'), patch: verb('patch'), create: verb('create') } as unknown as ApiClient
  return { calls, client }
}

async function beatUntil(calls: string[], client: ApiClient, count: number) {
  const stop = new AbortController()
  const log = pino({ level: 'silent' })
  const onRenewed = async () => void calls.push('renewed')
  const options = { client, machineName: 'm1', leaseDurationMs: LEASE_MS, onRenewed, log }
  const beating = heartbeat(options).start(stop.signal)
  await until(() => calls.length >= count, { what: `${count} calls` })
  stop.abort()
  await beating
}

test('a lease is renewed again and again, with nothing asked before', async () => {
  const { calls, client } = recorded(() => undefined)
  await beatUntil(calls, client, 4)
  assert.equal(calls.slice(0, 4), ['patch', 'renewed', 'patch', 'renewed'])
})

test('a machine that hears no answer does not go on saying that it lives: it asks until it is answered', async () => {
  const { calls, client } = recorded((_, count) => {
    if (count <= 4) throw new Error('no answer')
  })
  await beatUntil(calls, client, 7)
  assert.equal(calls.slice(0, 7), ['patch', 'get', 'get', 'get', 'get', 'patch', 'renewed'])
})

test('an answer that says no is an answer too', async () => {
  const { calls, client } = recorded((verb, count) => {
    if (count === 1) throw new Error('no answer')
    if (verb !== 'create' && count < 4) throw new ApiError(404, { message: 'not found' })
  })
  await beatUntil(calls, client, 4)
  assert.equal(calls.slice(0, 4), ['patch', 'get', 'patch', 'create'])
})

test.run()
