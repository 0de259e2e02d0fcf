import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Effect, held, type Input, type State, step, termsOf, wakeAtMs } from '../../../../bin/lock/lease.ts'

const test = suite('lease of a held key')
/** TTL 30 s: renewed every 10, asked to end at 22.5, killed at 28.5, counted from the sending. */
const TERMS = termsOf(30_000)

/** Inputs at times, and every effect with the time it came at. */
function play(inputs: readonly (readonly [atMs: number, input: Input])[]): {
  effects: (readonly [number, Effect])[]
  state: State
} {
  let state = held(TERMS, 0)
  const effects: (readonly [number, Effect])[] = []
  for (const [atMs, input] of inputs) {
    const next = step(TERMS, state, input, atMs)
    state = next.state
    for (const effect of next.effects) effects.push([atMs, effect])
  }
  return { effects, state }
}

const time: Input = { got: 'time' }
const renewed: Input = { got: 'renewed' }
const failed: Input = { got: 'failed' }
const gone: Input = { got: 'lost', reason: 'is gone' }

const SCENES: readonly {
  readonly promise: string
  readonly inputs: readonly (readonly [number, Input])[]
  readonly effects: readonly (readonly [number, Effect])[]
}[] = [
  {
    promise: 'nothing is done before a third of the TTL',
    inputs: [
      [0, time],
      [9_999, time],
    ],
    effects: [],
  },
  {
    promise: 'one renewal at a time',
    inputs: [
      [10_000, time],
      [12_000, time],
    ],
    effects: [[10_000, 'renew']],
  },
  {
    promise: 'the next renewal counts from when the last was sent, not from its answer',
    inputs: [
      [10_000, time],
      [14_000, renewed],
      [19_999, time],
      [20_000, time],
    ],
    effects: [
      [10_000, 'renew'],
      [20_000, 'renew'],
    ],
  },
  {
    promise: 'a failed attempt is followed by another a second later',
    inputs: [
      [10_000, time],
      [15_000, failed],
      [15_999, time],
      [16_000, time],
    ],
    effects: [
      [10_000, 'renew'],
      [16_000, 'renew'],
    ],
  },
  {
    promise: 'never renewed: asked to end at three quarters, killed before the TTL',
    inputs: [
      [10_000, time],
      [22_500, time],
      [28_499, time],
      [28_500, time],
    ],
    effects: [
      [10_000, 'renew'],
      [22_500, 'terminate'],
      [28_500, 'kill'],
    ],
  },
  {
    promise: 'an answer that comes after the end has begun changes nothing',
    inputs: [
      [10_000, time],
      [22_500, time],
      [23_000, renewed],
      [28_500, time],
      [29_000, renewed],
    ],
    effects: [
      [10_000, 'renew'],
      [22_500, 'terminate'],
      [28_500, 'kill'],
    ],
  },
  {
    promise: 'a key that is gone ends the command at once, with the usual grace',
    inputs: [
      [10_000, time],
      [10_100, gone],
      [16_099, time],
      [16_100, time],
    ],
    effects: [
      [10_000, 'renew'],
      [10_100, 'terminate'],
      [16_100, 'kill'],
    ],
  },
  {
    promise: 'no grace lasts beyond the TTL',
    inputs: [
      [10_000, time],
      [22_400, gone],
      [28_400, time],
    ],
    effects: [
      [10_000, 'renew'],
      [22_400, 'terminate'],
      [28_400, 'kill'],
    ],
  },
  {
    promise: 'a process that was frozen past the TTL kills without asking',
    inputs: [[40_000, time]],
    effects: [[40_000, 'kill']],
  },
  {
    promise: 'an answer told too late to a process that was frozen meanwhile does not save it',
    inputs: [
      [10_000, time],
      [40_000, renewed],
    ],
    effects: [
      [10_000, 'renew'],
      [40_000, 'kill'],
    ],
  },
]

for (const { promise, inputs, effects } of SCENES) test(promise, () => assert.equal(play(inputs).effects, effects))

test('time is asked for when something is due, and no more once it is over', () => {
  assert.is(wakeAtMs(TERMS, held(TERMS, 0)), 10_000)
  const asked = play([[10_000, time]]).state
  assert.is(wakeAtMs(TERMS, asked), 22_500)
  assert.is(wakeAtMs(TERMS, play([[10_100, gone]]).state), 16_100)
  assert.is(wakeAtMs(TERMS, play([[40_000, time]]).state), undefined)
})

test('the command is killed before the TTL, however short that is', () => {
  for (const ttlMs of [2_000, 3_000, 30_000, 86_400_000]) {
    const { renewEveryMs, attemptMs, terminateMs, killMs } = termsOf(ttlMs)
    assert.ok(renewEveryMs + attemptMs < terminateMs, 'there is time for a whole attempt')
    assert.ok(terminateMs < killMs && killMs <= ttlMs - 200)
  }
})

test.run()
