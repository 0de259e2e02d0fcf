import { setImmediate as nextTurn } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Lane, type LaneOptions, type Ticket } from '../../../../api-server/http/priority-lane.ts'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import { until } from '../../../support/until.ts'

const test = suite('lanes')

const OPTIONS: LaneOptions = {
  seats: 4,
  seatsPerUser: 3,
  queuePerUser: 5,
  queueTotal: 8,
  waitMs: 60_000,
  holdMs: 60_000,
}

interface Run {
  readonly started: string[]
  readonly refused: Error[]
  /** Enters `user`'s request; its name is told in `started`. */
  enter(name: string, seats?: number): Ticket
}

/** A request's user is the first letter of its name. */
function run(options: Partial<LaneOptions> = {}): Run & { readonly lane: Lane } {
  const lane = new Lane({ ...OPTIONS, ...options })
  const started: string[] = []
  const refused: Error[] = []
  const enter = (name: string, seats = 1): Ticket =>
    lane.enter(name.charAt(0), seats, { start: () => started.push(name), refuse: (error) => refused.push(error) })
  return { lane, started, refused, enter }
}

test('who finds a seat starts at once', async () => {
  const { lane, started, enter } = run()
  const places = ['a1', 'b1', 'c1'].map((name) => enter(name))
  assert.equal(started, ['a1', 'b1', 'c1'])
  for (const place of places) place.release()
  await nextTurn()
  assert.equal([lane.seatsTaken, lane.waiting], [0, 0])
})

test('one user never takes all the seats', async () => {
  const { started, enter } = run()
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1']) enter(name)
  assert.equal(started, ['a1', 'a2', 'a3', 'b1'])
})

test('users take turns, however many requests each has waiting', async () => {
  const { started, enter } = run({ seats: 1, seatsPerUser: 1 })
  const first = enter('x0')
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) places.set(name, enter(name))
  first.release()
  await nextTurn()
  for (const name of ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']) {
    assert.is(started.at(-1), name)
    places.get(name)?.release()
    await nextTurn()
  }
})
const places = new Map<string, Ticket>()

test('who needs many seats is waited for, not passed by', async () => {
  const { started, enter } = run({ seatsPerUser: 4 })
  const held = [enter('a1'), enter('a2', 2)]
  enter('b1', 4)
  enter('c1')
  assert.equal(started, ['a1', 'a2'])
  for (const place of held) place.release()
  await nextTurn()
  assert.equal(started, ['a1', 'a2', 'b1'])
})

test('who needs more seats than there are starts alone', async () => {
  const { started, enter } = run()
  const place = enter('a1', 99)
  enter('b1')
  assert.equal(started, ['a1'])
  place.release()
  await nextTurn()
  assert.equal(started, ['a1', 'b1'])
})

test('a full queue refuses with 429, its own user first', async () => {
  const { refused, started, enter } = run({ seats: 1, seatsPerUser: 1 })
  for (let i = 0; i < 7; i++) enter(`a${i}`)
  assert.is(refused.length, 1)
  for (const name of ['b1', 'b2', 'b3', 'c1']) enter(name)
  assert.is(refused.length, 2)
  assert.equal(started, ['a0'])
  const [error] = refused
  assert.ok(error instanceof StatusError)
  assert.equal(
    [error.status.code, error.status.reason, error.status.details],
    [429, 'TooManyRequests', { retryAfterSeconds: 1 }],
  )
})

test('who leaves the queue is not started, and releasing twice frees one seat', async () => {
  const { lane, started, enter } = run({ seats: 1, seatsPerUser: 1 })
  const first = enter('a1')
  const second = enter('b1')
  enter('c1')
  second.release()
  await nextTurn()
  first.release()
  await nextTurn()
  first.release()
  await nextTurn()
  assert.equal(started, ['a1', 'c1'])
  assert.equal([lane.seatsTaken, lane.waiting], [1, 0])
})

test('who waits too long is refused', async () => {
  const { refused, enter } = run({ seats: 1, seatsPerUser: 1, waitMs: 1 })
  enter('a1')
  enter('b1')
  await until(() => refused.length === 1, { what: 'the refusal' })
})

test('who takes long over their answer gives the seat back, within bounds', async () => {
  const { lane, started, enter } = run({ seats: 1, seatsPerUser: 1, holdMs: 1 })
  const slow = ['a1', 'b1', 'c1'].map((name) => enter(name))
  await until(() => started.includes('b1'), { what: 'the second start' })
  assert.equal(started, ['a1', 'b1'])
  for (const place of slow) place.release()
  await nextTurn()
  assert.equal([started, lane.seatsTaken], [['a1', 'b1', 'c1'].slice(0, started.length), 0])
})

test('seats given back are free in the next turn, so that a run of quick requests lets others speak', async () => {
  const { started, enter } = run({ seats: 1, seatsPerUser: 1 })
  const first = enter('a1')
  enter('b1')
  first.release()
  assert.equal(started, ['a1'])
  await nextTurn()
  assert.equal(started, ['a1', 'b1'])
})

test('nothing is lost over any number of requests', async () => {
  const { lane, started, refused, enter } = run({ queuePerUser: 1_000, queueTotal: 1_000 })
  const open: Ticket[] = []
  for (let i = 0; i < 300; i++) {
    open.push(enter(`${'abc'.charAt(i % 3)}${i}`, 1 + (i % 3)))
    if (i % 2) open.shift()?.release()
    if (i % 5 === 0) await nextTurn()
  }
  while (open.length > 0) open.shift()?.release()
  await nextTurn()
  assert.equal([lane.seatsTaken, lane.waiting, refused.length], [0, 0, 0])
  assert.is(new Set(started).size, started.length)
})

test.run()
