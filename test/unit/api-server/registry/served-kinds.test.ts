import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ServedKinds } from '../../../../api-server/registry/served-kinds.ts'
import { ALL_VERBS, defineCustomKind, type Kind } from '../../../../crds/kind.ts'
import { UNIT } from './with-registry.ts'

const test = suite('the table of served kinds')

function custom(group: string, version: string, plural: string): Kind {
  return defineCustomKind({
    group,
    version,
    plural,
    kind: plural,
    scope: 'Cluster',
    description: '',
    columns: [],
    verbs: ALL_VERBS,
    storedAs: `${group}/${version}`,
    structure: { openApi: {}, prune: () => [], fillDefaults: () => {}, check: () => [] },
  })
}

test('built-in kinds come first, then groups by name, the preferred version of each first', () => {
  const kinds = new ServedKinds([UNIT])
  kinds.replaceCustom([custom('b.x', 'v1beta1', 'bs'), custom('b.x', 'v1', 'bs'), custom('a.x', 'v1', 'as')])
  assert.equal(
    kinds.all.map(({ key }) => key),
    ['flotilla.dev/v1/units', 'a.x/v1/as', 'b.x/v1/bs', 'b.x/v1beta1/bs'],
  )
  assert.is(kinds.find('b.x', 'v1beta1', 'bs')?.version, 'v1beta1')
  kinds.replaceCustom([])
  assert.is(kinds.find('b.x', 'v1', 'bs'), undefined)
})

test('what is derived from the table is made once for each state of it', () => {
  const kinds = new ServedKinds([UNIT])
  let made = 0
  const count = kinds.derived((all) => {
    made++
    return all.length
  })
  assert.equal([count(), count(), made], [1, 1, 1])
  kinds.replaceCustom([custom('a.x', 'v1', 'as')])
  assert.equal([count(), count(), made], [2, 2, 2])
})

test.run()
