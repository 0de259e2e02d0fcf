import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { saysAlready, setCondition } from '../../../../controllers/lib/conditions.ts'

const test = suite('conditions')
const noon = new Date('2026-01-01T12:00:00.123Z')
const later = new Date('2026-01-01T13:00:00Z')
const ready = { type: 'Ready', status: 'True', reason: 'AgentReady', message: 'fine' } as const

test('a new condition gets the time it was said', () => {
  assert.equal(setCondition(undefined, ready, noon), [{ ...ready, lastTransitionTime: '2026-01-01T12:00:00Z' }])
})

test('the transition time moves only when the status does', () => {
  const before = setCondition(undefined, ready, noon)
  const reworded = setCondition(before, { ...ready, message: 'still fine' }, later)
  assert.is(reworded[0]?.lastTransitionTime, '2026-01-01T12:00:00Z')
  assert.is(reworded[0]?.message, 'still fine')
  const turned = setCondition(before, { ...ready, status: 'False' }, later)
  assert.is(turned[0]?.lastTransitionTime, '2026-01-01T13:00:00Z')
  assert.is(before[0]?.status, 'True', 'the list that was given stays as it was')
})

test('saying the same again changes nothing', () => {
  const list = setCondition(undefined, ready, noon)
  assert.ok(saysAlready(list, ready))
  assert.not.ok(saysAlready(list, { ...ready, message: 'other' }))
  assert.not.ok(saysAlready(undefined, ready))
})

test.run()
