import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Answer, KeysClient } from '../../../../bin/etcd-v2/keys-client.ts'
import { KeysError, UnavailableError } from '../../../../bin/etcd-v2/keys-error.ts'
import { keep } from '../../../../bin/lock/keeper.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const test = suite('keeping a held key')
const HELD = { key: '/k', value: 'me', ttlSeconds: 30, createdIndex: 7, sentMs: 0 }

const answer = (createdIndex: number): Answer => ({
  action: 'compareAndSwap',
  node: { key: '/k', value: 'me', createdIndex, modifiedIndex: createdIndex + 1 },
  etcdIndex: createdIndex + 1,
})

/** A keeper of `HELD` before a server that answers with what `refresh` says, and everything that happened, in order. */
function scene(refresh: () => Promise<Answer>) {
  const clock = createFakeClock()
  const happened: string[] = []
  const note = (what: string): void => void happened.push(`${clock.monotonicMs()} ${what}`)
  const keys: Pick<KeysClient, 'refresh'> = {
    refresh: () => {
      note('renew')
      return refresh()
    },
  }
  const keeper = keep({
    ...{ keys, held: HELD, clock },
    onTerminate: (reason) => note(`terminate: ${reason}`),
    onKill: () => note('kill'),
  })
  return { clock, happened, keeper }
}

test('a key is renewed three times within its TTL, for as long as the server agrees', async () => {
  const { clock, happened, keeper } = scene(async () => answer(7))
  await clock.advance(60_000)
  assert.equal(happened, ['10000 renew', '20000 renew', '30000 renew', '40000 renew', '50000 renew', '60000 renew'])
  assert.is(keeper.lost(), undefined)
  await keeper.stop()
  assert.is(clock.pending, 0)
})

test('a server that does not answer is asked until the end, which comes in time', async () => {
  const { clock, happened, keeper } = scene(async () => {
    throw new UnavailableError('http://a', 'does not answer')
  })
  await clock.advance(60_000)
  assert.is(happened[0], '10000 renew')
  assert.equal(happened.slice(-2), ['22500 terminate: could not be renewed before its TTL runs out', '28500 kill'])
  assert.is(happened.filter((line) => line.endsWith('renew')).length, 13)
  await keeper.stop()
})

const LOSSES: readonly (readonly [string, string, () => Promise<Answer>])[] = [
  ['gone', 'is gone', async () => Promise.reject(refusal(100))],
  ["another's", 'was taken by another', async () => Promise.reject(refusal(101))],
  ['made anew with the same value', 'is another one by now', async () => answer(9)],
]

function refusal(errorCode: number): KeysError {
  return new KeysError({ errorCode, message: 'no', index: 9 })
}

for (const [what, reason, refresh] of LOSSES)
  test(`a key that is ${what} is lost`, async () => {
    const { clock, happened, keeper } = scene(refresh)
    await clock.advance(12_000)
    assert.equal(happened, ['10000 renew', `10000 terminate: ${reason}`])
    assert.is(keeper.lost(), reason)
    await keeper.stop()
  })

test('a refusal that says nothing of the key is no loss while the TTL lasts', async () => {
  let refused = true
  const { clock, happened, keeper } = scene(async () => {
    if (refused) throw refusal(110)
    return answer(7)
  })
  await clock.advance(12_000)
  refused = false
  await clock.advance(10_600)
  assert.is(keeper.lost(), undefined)
  assert.not(happened.some((line) => line.includes('terminate')))
  await keeper.stop()
})

test('nothing happens after the stop', async () => {
  const { clock, happened, keeper } = scene(async () => answer(7))
  await keeper.stop()
  await clock.advance(60_000)
  assert.equal(happened, [])
})

test.run()
