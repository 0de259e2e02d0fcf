import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Unit } from '../../../crds/unit.ts'
import { checkDropIns } from '../../../crds/unit-files.ts'

const test = suite('files of units')
const spec = (rest: object) => ({ spec: { content: 'x', ...rest }, metadata: { name: 'a.service' } })

test("a drop-in may not have a name that is the agent's", () => {
  assert.equal(checkDropIns([{ name: '10-a.conf' }, { name: 'zz.conf' }]), [])
  assert.equal(checkDropIns([{ name: '10-a.conf' }, { name: 'zz-flotilla-fence.conf' }]), [
    { path: ['spec', 'dropIns', 1, 'name'], message: "begins with zz-flotilla-, as only the agent's own may" },
  ])
})

for (const [name, isOne] of [
  ['db.password', true],
  ['a'.repeat(255), true],
  ['', false],
  ['.hidden', false],
  ['a/b', false],
  ['a:b', false],
] as const)
  test(`${JSON.stringify(name)} ${isOne ? 'names' : 'does not name'} a credential`, () => {
    const credentials = [{ name, secretKeyRef: { name: 's', key: 'k' } }]
    const { success } = Unit.schema.safeParse({ apiVersion: Unit.apiVersion, kind: 'Unit', ...spec({ credentials }) })
    assert.is(success, isOne)
  })

test.run()
