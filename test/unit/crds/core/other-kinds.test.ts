import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ClusterRole,
  CORE_KINDS,
  CustomResourceDefinition,
  EndpointSlice,
  KINDS,
  Namespace,
  PodDisruptionBudget,
  Role,
  RoleBinding,
} from '../../../../crds/index.ts'
import { fieldSchemas, type JsonSchema } from '../../../../crds/json-schema.ts'
import { cell, take } from './support.ts'

const kinds = suite('the other built-in kinds')
const GROUP = 'rbac.authorization.k8s.io'

kinds('a namespace is born with its finalizer and its name as a label', () => {
  const { object } = take(Namespace, { spec: {} })
  assert.equal(object.spec, { finalizers: ['kubernetes'] })
  assert.equal(object.metadata.labels, { 'kubernetes.io/metadata.name': 'x' })
  const emptied = take(Namespace, { spec: { finalizers: [] } }, object)
  assert.equal(emptied.object.spec, { finalizers: [] })
})

kinds('a rule is about resources or paths', () => {
  const rules = (...all: object[]) => ({ rules: all })
  assert.equal(take(Role, rules({ verbs: ['get'], apiGroups: [''], resources: ['pods'] })).refused, [])
  assert.equal(take(Role, rules({ verbs: [], apiGroups: [''], resources: ['pods'] })).refused, [
    'rules[0].verbs FieldValueRequired',
  ])
  assert.equal(take(Role, rules({ verbs: ['get'], resources: ['pods'] })).refused, [
    'rules[0].apiGroups FieldValueRequired',
  ])
  assert.equal(take(Role, rules({ verbs: ['get'], nonResourceURLs: ['/x'] })).refused, [
    'rules[0].nonResourceURLs FieldValueInvalid',
  ])
  assert.equal(take(ClusterRole, rules({ verbs: ['get'], nonResourceURLs: ['/x'] })).refused, [])
})

kinds('a binding names its role for good', () => {
  const roleRef = { kind: 'Role', name: 'r' }
  const subjects = [
    { kind: 'User', name: 'ann' },
    { kind: 'ServiceAccount', name: 'a', namespace: 'b' },
  ]
  const { object, refused } = take(RoleBinding, { roleRef, subjects })
  assert.equal(refused, [])
  assert.equal((object.subjects as object[])[0], { kind: 'User', apiGroup: GROUP, name: 'ann' })
  assert.equal(take(RoleBinding, { roleRef: { ...roleRef, name: 's' } }, object).refused, ['roleRef FieldValueInvalid'])
  assert.equal(take(RoleBinding, { roleRef: { kind: 'Thing', name: 'x' } }).refused, [
    'roleRef.kind FieldValueNotSupported',
  ])
  assert.equal(take(RoleBinding, { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'a' }] }).refused, [
    'subjects[0].namespace FieldValueRequired',
  ])
  assert.is(cell(RoleBinding, 'ServiceAccounts', object), 'b/a')
  assert.is(cell(RoleBinding, 'Role', object), 'Role/r')
})

kinds('a budget says one amount, as a number or in percent', () => {
  const refused = (spec: object) => take(PodDisruptionBudget, { spec }).refused
  assert.equal(refused({ minAvailable: 0 }), [])
  assert.equal(refused({ maxUnavailable: '25%' }), [])
  assert.equal(refused({ minAvailable: '101%' }), ['spec.minAvailable FieldValueInvalid'])
  assert.equal(refused({ minAvailable: 'two' }), ['spec.minAvailable FieldValueInvalid'])
  assert.equal(refused({ minAvailable: -1 }), ['spec.minAvailable FieldValueInvalid'])
  assert.equal(refused({ minAvailable: 1, maxUnavailable: 1 }), ['spec FieldValueInvalid'])
  assert.is(cell(PodDisruptionBudget, 'Max Unavailable', { spec: {} }), 'N/A')
})

kinds('an endpoint slice keeps its type of address', () => {
  const { object } = take(EndpointSlice, {
    addressType: 'IPv4',
    ports: [{ port: 6443 }],
    endpoints: [{ addresses: ['10.0.0.1'] }],
  })
  assert.equal(take(EndpointSlice, { addressType: 'IPv6' }, object).refused, ['addressType FieldValueInvalid'])
  assert.is(cell(EndpointSlice, 'Ports', object), '6443')
  assert.is(cell(EndpointSlice, 'Endpoints', object), '10.0.0.1')
  assert.is(cell(EndpointSlice, 'Ports', {}), '<unset>')
})

const version = (fields: object = {}) => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: 'object' } },
  ...fields,
})
const definition = (spec: object, name = 'toys.example.com') =>
  take(CustomResourceDefinition, {
    metadata: { name },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'toys', kind: 'Toy' },
      versions: [version()],
      ...spec,
    },
  })

kinds('a definition fills in the names that follow from others', () => {
  const { object, refused } = definition({})
  assert.equal(refused, [])
  assert.equal((object.spec as { names: object }).names, {
    plural: 'toys',
    kind: 'Toy',
    singular: 'toy',
    listKind: 'ToyList',
  })
})

kinds('a definition that could not live is refused with its field', () => {
  assert.equal(definition({}, 'toy.example.com').refused, ['metadata.name FieldValueInvalid'])
  assert.equal(definition({ scope: 'Galaxy' }).refused, ['spec.scope FieldValueNotSupported'])
  assert.equal(definition({ versions: [version({ storage: false })] }).refused, ['spec.versions FieldValueInvalid'])
  assert.equal(definition({ versions: [version(), version({ storage: false })] }).refused, [
    'spec.versions FieldValueInvalid',
  ])
  assert.equal(definition({ versions: [version({ schema: {} })] }).refused, [
    'spec.versions[0].schema.openAPIV3Schema FieldValueRequired',
  ])
  assert.equal(definition({ conversion: { strategy: 'Webhook' } }).refused, [
    'spec.conversion.strategy FieldValueNotSupported',
  ])
})

kinds('no two kinds answer to one name', () => {
  const names = KINDS.flatMap(({ group, plural, shortNames }) => [`${plural}.${group}`, ...shortNames])
  assert.is(new Set(names).size, names.length)
})

function* lists(schema: JsonSchema, path: string): Generator<[string, JsonSchema]> {
  if (schema.type === 'array') yield [path, schema]
  const inner = { ...schema.properties, ...(schema.items && { '[]': schema.items }) }
  for (const [name, one] of Object.entries(inner)) yield* lists(one, `${path}.${name}`)
}

kinds('every list of a built-in kind says how it is merged', () => {
  for (const kind of CORE_KINDS)
    for (const [name, schema] of Object.entries(fieldSchemas(kind).properties))
      for (const [path, list] of lists(schema, `${kind.kind}.${name}`)) {
        if (path.includes('matchExpressions')) continue
        assert.ok(list['x-kubernetes-list-type'] ?? list.description?.includes('Rules that must'), path)
        const keys = list['x-kubernetes-list-map-keys'] as string[] | undefined
        for (const key of keys ?? []) assert.ok(list.items?.properties?.[key], `${path} has elements without ${key}`)
      }
})

kinds.run()
