// heavy, deadline: 60 s
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MACHINE_LEASES } from '../../crds/group.ts'
import { ConfigMap } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { within } from '../support/within.ts'
import { type Api, type Caller, LEASES, MERGE, startApi } from './api-raw.ts'

const test = suite('a flood of lists and the heartbeats')

const OBJECTS = 10_000
const LOOPS = 200
const FLOOD_MS = 6_000
/** More than the queue of one user holds. */
const AT_ONCE = 800
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

let api: Api

async function fill(): Promise<void> {
  const { registry } = api.server
  const data = { filler: 'x'.repeat(500) }
  for (let at = 0; at < OBJECTS; at += 500) {
    const names = Array.from({ length: 500 }, (_, i) => `c${at + i}`)
    const object = (name: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default' },
      data,
    })
    await Promise.all(names.map((name) => registry.create(ConfigMap as Kind, 'default', object(name))))
  }
}

/** A machine as it joins: its Machine names the key, its Lease is made by itself. */
async function join(name: string): Promise<Caller> {
  const pair = await api.server.pki.issueClient({ commonName: `machine:${name}`, organizations: ['flotilla:machines'] })
  const made = await api.ask('POST', '/apis/flotilla.dev/v1/machines', { body: { metadata: { name }, spec: {} } })
  assert.is(made.code, 201)
  const status = { status: { keyHashes: [pair.keyHash] } }
  await api.ask('PATCH', `/apis/flotilla.dev/v1/machines/${name}/status`, { body: status, type: MERGE })
  const machine = api.caller(pair)
  const lease = { metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 8 } }
  const { code } = await api.ask('POST', LEASES.replace('default', MACHINE_LEASES), { body: lease, as: machine })
  assert.is(code, 201)
  return machine
}

interface Flood {
  lists: number
  refused: number
  stop(): Promise<void>
}

function flood(as: Caller): Flood {
  let going = true
  const state = { lists: 0, refused: 0, stop: async () => {} }
  const loop = async (): Promise<void> => {
    while (going) {
      const answer = await api.open(CONFIG_MAPS, { as })
      for await (const _ of answer) if (!going) answer.destroy()
      if (answer.statusCode === 200) state.lists++
      else state.refused++
    }
  }
  const loops = Array.from({ length: LOOPS }, () => loop().catch(() => undefined))
  state.stop = async () => {
    going = false
    void as.agent.destroy()
    await Promise.all(loops)
  }
  return state
}

async function renewals(machine: Caller, name: string, forMs: number): Promise<number[]> {
  const took: number[] = []
  const until = performance.now() + forMs
  while (performance.now() < until) {
    const begun = performance.now()
    const body = { spec: { renewTime: new Date().toISOString().replace('Z', '000Z') } }
    const path = `${LEASES.replace('default', MACHINE_LEASES)}/${name}`
    const { code } = await api.ask('PATCH', path, { body, type: MERGE, as: machine })
    assert.is(code, 200)
    took.push(performance.now() - begun)
  }
  return took.sort((a, b) => a - b)
}

test.before(async () => {
  api = await startApi()
  await fill()
})
test.after(async () => api[Symbol.asyncDispose]())

test('with 200 loops that list 10 000 objects a lease is renewed within 1 s (p99), and other users are served', async () => {
  const machine = await join('m1')
  const flooder = api.caller(
    await api.server.pki.issueClient({ commonName: 'flooder', organizations: ['system:masters'] }),
  )
  const storm = flood(flooder)
  const quiet: number[] = []
  const other = (async () => {
    const until = performance.now() + FLOOD_MS
    while (performance.now() < until) {
      const begun = performance.now()
      assert.is((await api.ask('GET', '/api/v1/namespaces/default')).code, 200)
      quiet.push(performance.now() - begun)
    }
  })()
  const took = await renewals(machine, 'm1', FLOOD_MS)
  await other
  const metrics = (await api.ask('GET', '/metrics')).text
  await storm.stop()
  const p99 = (sorted: readonly number[]) => Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0)
  quiet.sort((a, b) => a - b)
  const waiting = /apiserver_current_inqueue_requests\{request_kind="others"\} (\d+)/.exec(metrics)?.[1]
  console.log(
    `${took.length} renewals p99 ${p99(took)} ms; ${quiet.length} gets of another user p99 ${p99(quiet)} ms; ${storm.lists} lists, ${storm.refused} refused, ${waiting} waiting`,
  )
  assert.ok(storm.lists > 10)
  assert.ok(Number(waiting) > 0)
  assert.ok(p99(took) < 1_000)
  assert.ok(p99(quiet) < 2_000)
})

test('who asks for more than may wait is told 429 and when to come again, in order, and the others are served', async () => {
  const socket = await api.connect()
  let heard = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text
  })
  const ask = `GET ${CONFIG_MAPS}?labelSelector=none%3Dx HTTP/1.1\r\nhost: x\r\n`
  socket.write(`${`${ask}\r\n`.repeat(AT_ONCE - 1)}${ask}connection: close\r\n\r\n`)
  await within(20_000, new Promise((resolve) => socket.on('close', resolve)), 'all answers')
  const codes = [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code))
  assert.is(codes.length, AT_ONCE)
  assert.equal([...new Set(codes)].sort(), [200, 429])
  assert.is(heard.match(/retry-after: 1\r\n/gi)?.length, codes.filter((code) => code === 429).length)
  assert.is((await api.ask('GET', '/api/v1/namespaces/default')).code, 200)
})

test.run()
