import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createSteady, untilSteadyMs } from '../../../../controllers/unit-set/steady.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { unit } from '../../../support/objects.ts'

const test = suite('how long instances have been well')
const PARENT = unit('web@.service', { spec: { replicas: 1 } })

function child(mainPID: number, active: 'True' | 'False' = 'True'): Unit {
  const condition = {
    ...{ type: 'Active', status: active, reason: active === 'True' ? 'Running' : 'Failed', message: '' },
    ...{ lastTransitionTime: '2031-01-01T00:00:00Z', observedGeneration: 1 },
  }
  return unit('web@1.service', {
    metadata: { uid: 'u', generation: 1 },
    status: { currentState: 'launched', systemd: { mainPID }, conditions: [condition] },
  })
}

test('time counts from when it was first seen well, and anew with each run', async () => {
  const clock = createFakeClock()
  const steady = createSteady(clock)
  const wellForMs = (now: Unit) => steady.look('web@.service', [now])(now)
  const seen = [wellForMs(child(1))]
  for (const [afterMs, now] of [
    [300, child(1)],
    [300, child(1)],
    [100, child(2)],
    [100, child(2)],
    [100, child(2, 'False')],
    [100, child(2)],
  ] as const) {
    await clock.advance(afterMs)
    seen.push(wellForMs(now))
  }
  assert.equal(seen, [0, 300, 600, 0, 100, 0, 0])
})

test('a look is due when the next one will have been well for long enough', () => {
  const children = [child(1)]
  const due = (ms: number) => untilSteadyMs({ parent: PARENT, children, wellForMs: () => ms })
  assert.equal([due(0), due(400), due(500), due(9_000)], [500, 100, undefined, undefined])
  assert.is(untilSteadyMs({ parent: PARENT, children: [child(1, 'False')], wellForMs: () => 0 }), undefined)
})

test.run()
