/** The judge of watchers must see what it is there for. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Acknowledged, Recording } from '../../support/linearizability/recorder.ts'
import { checkTold, type Told } from '../../support/linearizability/watcher.ts'

const test = suite('what watchers must have been told')

const acknowledged: Acknowledged[] = [
  { key: 'lin-0', action: { do: 'create', token: 'a' }, version: 5n, atMs: 0 },
  { key: 'lin-0', action: { do: 'replace', expected: 'a', token: 'b' }, version: 7n, atMs: 0 },
  { key: 'lin-0', action: { do: 'remove', expected: 'b' }, version: undefined, atMs: 0 },
]
const tried = new Set(['a', 'b', 'doubtful'])
const recording: Recording = { operations: [], acknowledged, tried, count: 0, stop: async () => undefined }

const told = (type: string, token: string, version: bigint): Told => ({ type, key: 'lin-0', token, version })
const [added, modified, deleted] = [told('ADDED', 'a', 5n), told('MODIFIED', 'b', 7n), told('DELETED', 'b', 8n)]

test('everything once and in order passes, with what nobody was told of between', () => {
  checkTold([added, modified, deleted], recording)
  checkTold([added, modified, deleted, told('ADDED', 'doubtful', 9n)], recording)
})

/** uvu's `throws` lets assertions of what it calls pass by as its own. */
function faultOf(events: readonly Told[]): string {
  try {
    checkTold(events, recording)
    return 'none found'
  } catch (error) {
    return (error as Error).message
  }
}

const FAULTS: readonly (readonly [string, readonly Told[], RegExp])[] = [
  ['a create that was missed', [modified, deleted], /never told: ADDED/],
  ['a change that was missed', [added, deleted], /never told: MODIFIED/],
  ['a delete that was missed', [added, modified], /never told: DELETED/],
  ['an event at the version before', [added, added, modified, deleted], /5 was told after 5/],
  ['an event told again later', [added, modified, deleted, told('DELETED', 'b', 9n)], /told twice/],
  ['two in the wrong order', [added, deleted, modified], /7 was told after 8/],
  ['another version than the writer was told', [added, told('MODIFIED', 'b', 6n), deleted], /MODIFIED/],
  ['what nobody wrote', [added, modified, deleted, told('ADDED', 'c', 9n)], /nobody wrote/],
]

for (const [what, events, message] of FAULTS)
  test(`${what} is found`, () => {
    assert.match(faultOf(events), message)
  })

test.run()
