import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { finalizersFor, type Propagation } from '../../../../api-server/registry/deletion.ts'
import { ConfigMap, Event } from '../../../../crds/index.ts'
import type { Kind } from '../../../../crds/kind.ts'

const test = suite('finalizers of a deletion')

const rows: readonly (readonly [string, string[], Propagation | undefined, string[]])[] = [
  ['nothing asked for, nothing added', [], undefined, []],
  ['in the foreground', ['a/b'], 'Foreground', ['a/b', 'foregroundDeletion']],
  ['without dependents', [], 'Orphan', ['orphan']],
  ['in the background', ['a/b'], 'Background', ['a/b']],
  ['the later word counts', ['foregroundDeletion', 'a/b'], 'Orphan', ['a/b', 'orphan']],
  ['and takes back', ['orphan'], 'Background', []],
  ['what the object says beforehand holds', ['orphan'], undefined, ['orphan']],
  ['said twice is said once', ['foregroundDeletion'], 'Foreground', ['foregroundDeletion']],
]

for (const [title, finalizers, propagation, expected] of rows)
  test(title, () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', finalizers } }
    assert.equal(finalizersFor(ConfigMap as Kind, object, propagation), expected)
  })

test('events have no dependents', () => {
  const object = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'a' } }
  assert.equal(finalizersFor(Event as Kind, object, 'Foreground'), [])
})

test.run()
