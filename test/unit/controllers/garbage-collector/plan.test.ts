import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Item } from '../../../../controllers/garbage-collector/item.ts'
import { type Action, type OwnerState, plan } from '../../../../controllers/garbage-collector/plan.ts'

const test = suite('what becomes of an object')

const resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  scope: 'Namespaced',
  verbs: [],
} as const
const reference = (uid: string, blockOwnerDeletion = false) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  blockOwnerDeletion,
})

function item(uid: string, fields: Partial<Item> = {}): Item {
  const place = { id: uid, resource, namespace: 'default', name: uid, uid, version: '1' }
  return { ...place, owners: [], finalizers: [], deleting: false, ...fields }
}

interface Row {
  readonly title: string
  /** Of its owners o0, o1, … */
  readonly owners?: readonly OwnerState[]
  readonly self?: Partial<Item>
  readonly dependents?: readonly { readonly block?: boolean; readonly self?: Partial<Item> }[]
  readonly expect: readonly string[]
}

const rows: readonly Row[] = [
  { title: 'what has no owner stays', expect: [] },
  { title: 'what has a living owner stays', owners: ['solid'], expect: [] },
  { title: 'what has lost its owner goes', owners: ['absent'], expect: ['delete x Background'] },
  { title: 'what has lost all of its owners goes', owners: ['absent', 'absent'], expect: ['delete x Background'] },
  { title: 'one of two owners gone: the other is kept', owners: ['absent', 'solid'], expect: ['release x to o1'] },
  { title: 'an owner that waits is left behind, too', owners: ['waiting', 'solid'], expect: ['release x to o1'] },
  { title: 'an owner nobody can ask about keeps everything', owners: ['absent', 'unknown'], expect: [] },
  { title: 'dependents of what is deleted in the foreground go', owners: ['waiting'], expect: ['delete x Background'] },
  {
    title: 'and in the foreground themselves where they have dependents',
    owners: ['waiting'],
    dependents: [{}],
    expect: ['delete x Foreground'],
  },
  {
    title: 'a circle of deletions in the foreground is opened',
    owners: ['waiting'],
    dependents: [{ self: { deleting: true, finalizers: ['foregroundDeletion'] } }],
    expect: ['unblock and delete x Foreground'],
  },
  {
    title: 'a finalizer put on beforehand says how it goes',
    owners: ['absent'],
    self: { finalizers: ['orphan'] },
    expect: ['delete x Orphan'],
  },
  { title: 'what goes already is left alone', owners: [], self: { deleting: true, finalizers: ['a/b'] }, expect: [] },
  {
    title: 'a dependent that blocks is waited for',
    self: { deleting: true, finalizers: ['foregroundDeletion'] },
    dependents: [{ block: true }, {}],
    expect: [],
  },
  {
    title: 'one that does not block is not',
    self: { deleting: true, finalizers: ['foregroundDeletion', 'a/b'] },
    dependents: [{}],
    expect: ['let go x foregroundDeletion'],
  },
  {
    title: 'dependents forget an owner that goes without them, and keep their others',
    self: { deleting: true, finalizers: ['orphan'] },
    dependents: [{}, { self: { owners: [reference('x'), reference('other')] } }],
    expect: ['release d0 to nobody', 'release d1 to other'],
  },
  {
    title: 'then it goes',
    self: { deleting: true, finalizers: ['orphan'] },
    expect: ['let go x orphan'],
  },
]

for (const { title, owners = [], self = {}, dependents = [], expect } of rows)
  test(title, () => {
    const named = owners.map((_, at) => reference(`o${at}`))
    const found = plan({
      item: item('x', { owners: named, ...self }),
      owners,
      dependents: dependents.map(({ block = false, self: fields }, at) => ({
        item: item(`d${at}`, { owners: [reference('x')], ...fields }),
        reference: reference('x', block),
      })),
    })
    assert.equal(found.map(brief), expect)
    assert.ok(found.every(({ reason }) => reason !== ''))
  })

function brief(action: Action): string {
  const { name } = action.item
  if (action.do === 'delete') return `${action.unblock ? 'unblock and ' : ''}delete ${name} ${action.propagation}`
  if (action.do === 'let go') return `let go ${name} ${action.finalizer}`
  return `release ${name} to ${action.owners.map(({ uid }) => uid).join(' ') || 'nobody'}`
}

test.run()
