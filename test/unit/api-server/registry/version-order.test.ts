import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareVersions } from '../../../../api-server/registry/version-order.ts'

const test = suite('the order of versions')

/** Kubernetes' own example. */
const IN_ORDER = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10']

test('stable before beta before alpha, later before earlier, anything else last', () =>
  assert.equal(IN_ORDER.toReversed().sort(compareVersions), IN_ORDER))

test('whatever pair is asked, the answers agree', () => {
  for (const a of IN_ORDER)
    for (const b of IN_ORDER) assert.is(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a)), 0)
})

test.run()
