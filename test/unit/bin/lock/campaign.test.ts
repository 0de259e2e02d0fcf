import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Answer, KeyNode, KeysClient } from '../../../../bin/etcd-v2/keys-client.ts'
import { KeysError, UnavailableError } from '../../../../bin/etcd-v2/keys-error.ts'
import { acquire } from '../../../../bin/lock/campaign.ts'
import type { HeldKey } from '../../../../bin/lock/keeper.ts'
import { createFakeClock, type FakeClock } from '../../../support/fake-clock.ts'

const test = suite('taking a key that others want')

const refusal = (errorCode: number) => new KeysError({ errorCode, message: 'no', index: 9 })
const away = () => new UnavailableError('http://a', 'does not answer')
const answer = (createdIndex: number, value: string, more: Partial<KeyNode> = {}): Answer => ({
  action: 'get',
  node: { key: '/k', value, createdIndex, modifiedIndex: createdIndex, ...more },
  etcdIndex: 20,
})

type Reply = (clock: FakeClock) => Promise<Answer | undefined>
const says =
  (value: Answer | undefined): Reply =>
  async () =>
    value
const fails =
  (error: Error): Reply =>
  async () =>
    Promise.reject(error)
const after =
  (ms: number, reply: Reply): Reply =>
  (clock) =>
    new Promise((resolve, reject) => void clock.timer(ms, () => reply(clock).then(resolve, reject)))

interface Outcome {
  readonly held: HeldKey | undefined
  readonly error: unknown
  readonly calls: readonly string[]
}

/** Campaigns before a server that gives these replies, in this order, and says what was asked of it. */
async function campaign(replies: readonly Reply[], { isValueUnique = true } = {}): Promise<Outcome> {
  const clock = createFakeClock()
  const calls: string[] = []
  const rest = replies.values()
  const reply = (name: string) => (_key: string, detail: unknown) => {
    calls.push(name === 'nextEvent' ? `${name} ${detail}` : name)
    const next = rest.next()
    if (next.done) throw new Error(`${name} was not expected`)
    return next.value(clock) as Promise<Answer>
  }
  const keys: KeysClient = {
    ...{ create: reply('create'), refresh: reply('refresh'), get: reply('get'), deleteAt: reply('deleteAt') },
    nextEvent: reply('nextEvent'),
    close: async () => {},
  }
  const candidate = { keys, key: '/k', value: 'me', isValueUnique, ttlSeconds: 30, clock }
  const ears = { onHeldByOther: () => {}, onTrouble: () => {} }
  let settled: Outcome | undefined
  acquire({ ...candidate, ...ears }, new AbortController().signal).then(
    (held) => (settled = { held, error: undefined, calls }),
    (error: unknown) => (settled = { held: undefined, error, calls }),
  )
  for (let turn = 0; settled === undefined && turn < 200; turn++) await clock.advance(1_000)
  if (settled === undefined) throw new Error(`undecided after ${calls}`)
  return settled
}

test('a free key is taken, and its TTL counts from the sending', async () => {
  const { held, calls } = await campaign([after(2_000, says(answer(7, 'me')))])
  assert.equal(calls, ['create'])
  assert.equal(held, { key: '/k', value: 'me', ttlSeconds: 30, createdIndex: 7, sentMs: 0 })
})

test('a key whose making was answered late is renewed before it counts', async () => {
  const { held, calls } = await campaign([after(12_000, says(answer(7, 'me'))), says(answer(7, 'me'))])
  assert.equal(calls, ['create', 'refresh'])
  assert.is(held?.sentMs, 12_000)
})

test('a key that ran out before its late answer is asked for anew', async () => {
  const late = [after(31_000, says(answer(7, 'me'))), fails(refusal(100)), says(answer(9, 'me'))]
  const { held, calls } = await campaign(late)
  assert.equal(calls, ['create', 'refresh', 'create'])
  assert.is(held?.createdIndex, 9)
})

test('a key that holds our value is ours, though the answer to its making was lost', async () => {
  const { held, calls } = await campaign([
    ...[fails(away()), fails(refusal(105)), says(answer(7, 'me')), says(answer(7, 'me'))],
  ])
  assert.equal(calls, ['create', 'create', 'get', 'refresh'])
  assert.is(held?.createdIndex, 7)
})

test('where others may write the same value, only an answered making counts', async () => {
  const replies = [fails(refusal(105)), says(answer(7, 'me')), says(answer(8, '')), says(answer(9, 'me'))]
  const { held, calls } = await campaign(replies, { isValueUnique: false })
  assert.equal(calls, ['create', 'get', 'nextEvent 21', 'create'])
  assert.is(held?.createdIndex, 9)
})

test('a cleared history, a cleared watcher and an empty end all mean: look again', async () => {
  for (const end of [fails(refusal(401)), fails(refusal(400)), says(undefined)]) {
    const { calls } = await campaign([...[fails(refusal(105)), says(answer(7, 'other')), end, says(answer(9, 'me'))]])
    assert.equal(calls, ['create', 'get', 'nextEvent 21', 'create'])
  }
})

test('a key that goes between the refusal and the look is asked for at once', async () => {
  const { calls } = await campaign([fails(refusal(105)), fails(refusal(100)), says(answer(9, 'me'))])
  assert.equal(calls, ['create', 'get', 'create'])
})

test('what waiting cannot mend ends the campaign', async () => {
  assert.is(((await campaign([fails(refusal(110))])).error as KeysError).code, 110)
  const folder = await campaign([fails(refusal(105)), says(answer(7, '', { dir: true }))])
  assert.match(String(folder.error), /is a directory/)
})

test.run()
