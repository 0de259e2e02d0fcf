import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allFields } from '../../../../../api-server/registry/managed-fields/compare.ts'
import { pathsOf, showPath } from '../../../../../api-server/registry/managed-fields/field-set.ts'
import { fieldsOf } from '../../../../../api-server/registry/managed-fields/fields-of.ts'
import { objectType } from '../../../../../api-server/registry/managed-fields/schema.ts'
import { KINDS } from '../../../../../crds/index.ts'
import type { Kind } from '../../../../../crds/kind.ts'

const test = suite('how kinds divide')

function kindOf(name: string): Kind {
  const kind = KINDS.find((one) => one.kind === name)
  if (kind === undefined) throw new Error(`there is no kind ${name}`)
  return kind
}

const applied = (kind: string, object: object) =>
  [...pathsOf(fieldsOf(objectType(kindOf(kind)), object).set)].map(showPath)
const made = (kind: string, object: object) => [...pathsOf(allFields(objectType(kindOf(kind)), object))].map(showPath)

const METADATA = {
  name: 'x',
  namespace: 'default',
  uid: 'u',
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels: { a: '1' },
  annotations: { b: '2' },
  finalizers: ['example.dev/one', 'example.dev/two'],
  ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u1' }],
}

interface Case {
  readonly title: string
  readonly kind: string
  readonly object: object
  readonly fields: readonly string[]
}

const APPLIED: readonly Case[] = [
  {
    title: 'metadata, without what is the server’s own',
    kind: 'ConfigMap',
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: METADATA },
    fields: [
      '.metadata.annotations.b',
      '.metadata.finalizers[="example.dev/one"]',
      '.metadata.finalizers[="example.dev/two"]',
      '.metadata.labels.a',
      '.metadata.ownerReferences[uid="u1"]',
      '.metadata.ownerReferences[uid="u1"].apiVersion',
      '.metadata.ownerReferences[uid="u1"].kind',
      '.metadata.ownerReferences[uid="u1"].name',
      '.metadata.ownerReferences[uid="u1"].uid',
    ],
  },
  {
    title: 'containers by name, their ports by port and protocol, variables by name, commands as a whole',
    kind: 'Pod',
    object: {
      spec: {
        containers: [
          {
            name: 'c',
            command: ['sh', '-c'],
            env: [{ name: 'A', value: '1' }],
            ports: [{ containerPort: 80 }],
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
          },
        ],
        nodeSelector: { a: 'b' },
        tolerations: [{ key: 'k' }],
      },
    },
    fields: [
      '.spec.nodeSelector',
      '.spec.tolerations',
      '.spec.containers[name="c"]',
      '.spec.containers[name="c"].command',
      '.spec.containers[name="c"].name',
      '.spec.containers[name="c"].env[name="A"]',
      '.spec.containers[name="c"].env[name="A"].name',
      '.spec.containers[name="c"].env[name="A"].value',
      '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"]',
      '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].containerPort',
      '.spec.containers[name="c"].volumeMounts[mountPath="/v"]',
      '.spec.containers[name="c"].volumeMounts[mountPath="/v"].mountPath',
      '.spec.containers[name="c"].volumeMounts[mountPath="/v"].name',
    ],
  },
  {
    title: 'ports of a service by port and protocol, its selector as a whole',
    kind: 'Service',
    object: { spec: { selector: { app: 'x' }, ports: [{ port: 80, protocol: 'UDP' }] } },
    fields: [
      '.spec.selector',
      '.spec.ports[port=80,protocol="UDP"]',
      '.spec.ports[port=80,protocol="UDP"].port',
      '.spec.ports[port=80,protocol="UDP"].protocol',
    ],
  },
  {
    title: 'conditions by type',
    kind: 'Machine',
    object: { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    fields: [
      '.status.conditions[type="Ready"]',
      '.status.conditions[type="Ready"].status',
      '.status.conditions[type="Ready"].type',
    ],
  },
  {
    title: 'quantities by resource',
    kind: 'Unit',
    object: { spec: { resources: { limits: { cpu: '1', memory: 5 } } } },
    fields: ['.spec.resources.limits.cpu', '.spec.resources.limits.memory'],
  },
  {
    title: 'what names another object as a whole',
    kind: 'Event',
    object: { involvedObject: { kind: 'Pod', name: 'p' } },
    fields: ['.involvedObject'],
  },
]

for (const { title, kind, object, fields } of APPLIED)
  test(`${kind}: ${title}`, () => {
    assert.equal(applied(kind, object).toSorted(), fields.toSorted())
  })

test('who makes a Unit owns its spec; of Kubernetes’ kinds the spec is simply there', () => {
  assert.equal(made('Unit', { spec: { content: 'x' } }), ['.spec', '.spec.content'])
  assert.equal(made('Lease', { spec: { holderIdentity: 'x' } }), ['.spec.holderIdentity'])
  assert.equal(made('ConfigMap', { data: { a: 'b' }, metadata: { labels: { x: '1' } } }), [
    '.data',
    '.data.a',
    '.metadata.labels',
    '.metadata.labels.x',
  ])
})

for (const kind of KINDS)
  test(`${kind.kind} divides at all, and nobody owns its metadata as such`, () => {
    const all = made(kind.kind, { apiVersion: kind.apiVersion, kind: kind.kind, metadata: METADATA })
    assert.not.ok(all.some((path) => path === '.metadata' || path === '.kind' || path === '.metadata.name'))
    assert.ok(all.includes('.metadata.labels.a'))
  })

test.run()
