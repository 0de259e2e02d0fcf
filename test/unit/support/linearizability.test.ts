import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findViolation } from '../../support/linearizability/check.ts'
import type { Action, Operation, Outcome, State } from '../../support/linearizability/history.ts'
import { seeded } from '../../support/random.ts'

const test = suite('the linearizability checker')

const at = (startedAt: number, endedAt: number, action: Action, outcome: Outcome, key = 'k'): Operation => ({
  ...{ key, action, outcome, startedAt, endedAt },
})
const read = (start: number, end: number, saw: State) => at(start, end, { do: 'read' }, { saw })
const create = (start: number, end: number, token: string, done = true) =>
  at(start, end, { do: 'create', token }, { done })
const replace = (start: number, end: number, expected: string, token: string, done = true) =>
  at(start, end, { do: 'replace', expected, token }, { done })
const remove = (start: number, end: number, expected: string, done = true) =>
  at(start, end, { do: 'remove', expected }, { done })
const lost = (start: number, action: Action) => at(start, Number.POSITIVE_INFINITY, action, 'unknown')

const POSSIBLE: Record<string, Operation[]> = {
  nothing: [],
  'one after the other': [
    read(0, 1, undefined),
    create(2, 3, 'a'),
    read(4, 5, 'a'),
    remove(6, 7, 'a'),
    read(8, 9, undefined),
  ],
  'a read beside a write sees the old value': [create(0, 1, 'a'), replace(2, 9, 'a', 'b'), read(3, 4, 'a')],
  'a read beside a write sees the new value': [create(0, 1, 'a'), replace(2, 9, 'a', 'b'), read(3, 4, 'b')],
  'two writers want the same, one loses': [create(0, 5, 'a', false), create(0, 5, 'b'), read(6, 7, 'b')],
  'a lost write happened late': [
    create(0, 1, 'a'),
    lost(2, { do: 'replace', expected: 'a', token: 'b' }),
    read(3, 4, 'a'),
    read(5, 6, 'b'),
  ],
  'a lost write never happened': [create(0, 1, 'a'), lost(2, { do: 'remove', expected: 'a' }), read(90, 91, 'a')],
  'a lost write explains a refusal': [lost(0, { do: 'create', token: 'a' }), create(1, 2, 'b', false), read(3, 4, 'a')],
}

const IMPOSSIBLE: Record<string, Operation[]> = {
  'a stale read': [create(0, 1, 'a'), replace(2, 3, 'a', 'b'), read(4, 5, 'a')],
  'a lost update': [create(0, 1, 'a'), replace(2, 5, 'a', 'b'), replace(3, 6, 'a', 'c')],
  'an acknowledged write that is gone': [create(0, 1, 'a'), read(2, 3, undefined)],
  'a value that nobody wrote': [read(0, 1, 'x')],
  'two creates that both win': [create(0, 5, 'a'), create(1, 6, 'b')],
  'new, then old again': [create(0, 1, 'a'), replace(2, 20, 'a', 'b'), read(3, 4, 'b'), read(5, 6, 'a')],
  'a refusal without a reason': [create(0, 1, 'a'), replace(2, 3, 'a', 'b', false)],
  'a removed value seen': [create(0, 1, 'a'), remove(2, 3, 'a'), read(4, 5, 'a')],
  'a lost write that happens before it is sent': [
    create(0, 1, 'a'),
    read(2, 3, 'b'),
    lost(4, { do: 'replace', expected: 'a', token: 'b' }),
  ],
  'a lost write that happens twice': [
    create(0, 1, 'a'),
    ...[
      lost(2, { do: 'replace', expected: 'a', token: 'b' }),
      read(3, 4, 'b'),
      replace(5, 6, 'b', 'a2'),
      read(7, 8, 'b'),
    ],
  ],
}

for (const [name, history] of Object.entries(POSSIBLE))
  test(`accepts: ${name}`, () => assert.is(findViolation(history), undefined))
for (const [name, history] of Object.entries(IMPOSSIBLE))
  test(`finds: ${name}`, () => assert.is(findViolation(history)?.key, 'k'))

test('keys are judged apart, and the one that is wrong is named', () => {
  const right = [create(0, 1, 'a'), read(2, 3, 'a')]
  const wrong = [create(0, 1, 'a'), read(2, 3, undefined)].map((operation) => ({ ...operation, key: 'other' }))
  assert.is(findViolation([...right, ...wrong])?.key, 'other')
})

/** A register that answers at one moment between start and end: whatever it does is linearizable by construction. */
function simulate(seed: number, count: number, clients: number): Operation[] {
  const random = seeded(seed).next
  const free = new Array<number>(clients).fill(0)
  let state: State
  let moment = 0
  return Array.from({ length: count }, (_, number) => {
    const client = Math.floor(random() * clients)
    const freeAt = free[client] ?? 0
    moment = Math.max(moment, freeAt) + random()
    const startedAt = Math.max(freeAt, moment - random() * clients)
    const endedAt = moment + random() * clients
    free[client] = endedAt
    const action = anyAction(random, state, `t${number}`)
    const applies = action.do === 'read' || state === (action.do === 'create' ? undefined : action.expected)
    const answered = action.do === 'read' || random() > 0.05
    const before = state
    if (applies && action.do !== 'read') state = action.do === 'remove' ? undefined : action.token
    if (!answered) return lost(startedAt, action)
    return at(startedAt, endedAt, action, action.do === 'read' ? { saw: before } : { done: applies })
  })
}

function anyAction(random: () => number, state: State, token: string): Action {
  const kind = random()
  if (kind < 0.4) return { do: 'read' }
  const expected = random() < 0.7 ? (state ?? 'none') : 'stale'
  if (kind < 0.8) return { do: 'replace', expected, token }
  return kind < 0.9 ? { do: 'create', token } : { do: 'remove', expected }
}

/** One read made to see what an acknowledged write had replaced before the read began. */
function plantStaleRead(history: readonly Operation[]): Operation[] | undefined {
  for (const [index, { action, outcome, endedAt }] of history.entries()) {
    if (action.do !== 'replace' || outcome === 'unknown' || !('done' in outcome) || !outcome.done) continue
    const later = history.findIndex((one, at) => at > index + 20 && one.action.do === 'read' && one.startedAt > endedAt)
    const read = history[later]
    if (read) return history.with(later, { ...read, outcome: { saw: action.expected } })
  }
  return undefined
}

test('every history of one register is accepted, and each with one read turned stale is refused', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const history = simulate(seed, 400, 12)
    assert.is(findViolation(history), undefined, `seed ${seed}`)
    const planted = plantStaleRead(history)
    assert.ok(planted, `seed ${seed}: nothing to plant`)
    assert.ok(planted && findViolation(planted), `seed ${seed}: a stale read went unnoticed`)
  }
})

test('twenty thousand operations on fifty keys are judged in seconds', () => {
  const history = Array.from({ length: 50 }, (_, key) =>
    simulate(key + 1, 400, 16).map((operation) => ({ ...operation, key: `key-${key}` })),
  ).flat()
  const begun = performance.now()
  assert.is(findViolation(history), undefined)
  assert.ok(performance.now() - begun < 10_000)
})

test.run()
