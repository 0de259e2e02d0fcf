import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quantityNumber } from '../../../crds/quantity.ts'
import { checkLimits, type Limits } from '../../../crds/unit-limits.ts'

const test = suite('limits of units')

const QUANTITIES: readonly (readonly [string | number, number])[] = [
  ['500m', 0.5],
  ['64Mi', 64 * 1024 * 1024],
  ['1e3', 1000],
  ['1.5', 1.5],
  [2, 2],
  ['100M', 100_000_000],
  ['1x', Number.NaN],
]

for (const [quantity, value] of QUANTITIES)
  test(`${quantity} is ${value}`, () => {
    assert.equal(quantityNumber(quantity), value)
  })

const ACCEPTED: readonly (readonly [string, Limits])[] = [
  ['a.service', { cpu: '10m', memory: '4Ki', tasks: 1 }],
  ['a.slice', { memory: '1Gi' }],
  ['srv-a.mount', { tasks: 20 }],
  ['a.timer', {}],
]

for (const [unit, limits] of ACCEPTED)
  test(`${unit} may have ${JSON.stringify(limits)}`, () => {
    assert.equal(checkLimits(unit, limits), [])
  })

const REFUSED: readonly (readonly [string, Limits, string, RegExp])[] = [
  ['a.timer', { cpu: 1 }, 'spec.resources.limits', /a timer unit has no processes of its own/],
  ['a.target', { memory: '1Gi' }, 'spec.resources.limits', /a target unit/],
  ['a.service', { cpu: 0 }, 'spec.resources.limits.cpu', /at least 0.0001/],
  ['a.service', { memory: '100' }, 'spec.resources.limits.memory', /at least 4096/],
  ['a.service', { tasks: '-1' }, 'spec.resources.limits.tasks', /at least 1/],
]

for (const [unit, limits, path, message] of REFUSED)
  test(`${unit} may not have ${JSON.stringify(limits)}`, () => {
    const [violation, ...others] = checkLimits(unit, limits)
    assert.is(violation?.path.join('.'), path)
    assert.match(violation?.message ?? '', message)
    assert.equal(others, [])
  })

test.run()
