/** What a restart by hand answers, however the looks at the unit fall between its old run and its new one. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ActionAnswer, answerAction } from '../../../../node-agent/serve/action.ts'
import type { ObservedUnit } from '../../../../node-agent/units/driver.ts'

const test = suite('a restart by hand')
const SUBJECT = { unitName: 'a.service', name: 'a.service', uid: 'u', actor: 'alice' }

type Moment = readonly [run: string, activeState: string]

const seen = (activeState: string): ObservedUnit => ({
  ...{ name: 'a.service', loadState: 'loaded', activeState, subState: '', result: 'success', mainPID: 0 },
  ...{ restarts: 0, activeEnterTimestampUs: 0, exitStatus: 0 },
})

/** Time goes on with every look at the unit; the last moment stays. */
function unitIn(moments: readonly Moment[]) {
  let at = 0
  const next = (): Moment => moments[Math.min(at++, moments.length - 1)] ?? ['', '']
  return {
    installed: async () => new Map(),
    observe: async () => new Map([['a.service', seen(next()[1])]]),
    invocation: async () => next()[0],
    restart: async () => [{ name: 'a.service' }],
    signal: async () => ({ name: 'a.service' }),
    explain: async () => '',
  }
}

async function restarted(moments: readonly Moment[]): Promise<ActionAnswer> {
  const server = createServer((_, response) => {
    const end = new AbortController()
    void answerAction(unitIn(moments), SUBJECT, { do: 'restart' }, () => {}, response, end.signal)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    return (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as ActionAnswer
  } finally {
    server.close()
  }
}

const BEFORE: readonly Moment[] = [
  ['1', 'active'],
  ['1', 'active'],
]
const LIFE: readonly Moment[] = [
  ['1', 'deactivating'],
  ['1', 'inactive'],
  ['2', 'activating'],
  ['2', 'active'],
]

for (let first = 0; first < LIFE.length; first++)
  test(`is told when the new run is up, if the first look comes at moment ${first}`, async () => {
    const { after } = await restarted([...BEFORE, ...LIFE.slice(first)])
    assert.is(after?.activeState, 'active')
  })

test('of a program that ends at once tells that it has ended', async () => {
  const { after, refused } = await restarted([...BEFORE, ['1', 'inactive'], ['2', 'inactive']])
  assert.equal([after?.activeState, refused], ['inactive', undefined])
})

test.run()
