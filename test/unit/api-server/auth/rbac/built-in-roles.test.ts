import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attributes } from '../../../../../api-server/auth/authorize.ts'
import { aggregatedRules, selects } from '../../../../../api-server/auth/rbac/aggregation.ts'
import { updatedBinding, updatedRole } from '../../../../../api-server/auth/rbac/auto-update.ts'
import { AUTO_UPDATE, BUILT_IN_BINDINGS, BUILT_IN_ROLES } from '../../../../../api-server/auth/rbac/built-in-roles.ts'
import { missingRules } from '../../../../../api-server/auth/rbac/coverage.ts'
import { Grants } from '../../../../../api-server/auth/rbac/grants.ts'
import type { BindingObject, PolicyRule, RoleObject } from '../../../../../api-server/auth/rbac/policy.ts'

const test = suite('built-in roles')

/** The roles as they are once every aggregation has settled. */
function settled(): ReadonlyMap<string, RoleObject> {
  const roles = new Map(BUILT_IN_ROLES.map((role) => [role.metadata.name, role]))
  for (let pass = 0; pass < 3; pass++)
    for (const role of [...roles.values()])
      if (role.aggregationRule) roles.set(role.metadata.name, { ...role, rules: aggregatedRules(role, roles.values()) })
  return roles
}

const roles = settled()
const rulesOf = (name: string): readonly PolicyRule[] => roles.get(name)?.rules ?? []

function may(role: string, text: string): boolean {
  const [verb = '', what = ''] = text.split(' ')
  const [, resource = '', subresource, group = ''] = /^([a-z]+)(?:\/([a-z]+))?(?:\.(.+))?$/.exec(what) ?? []
  const attributes: Attributes = { verb, group, resource, subresource, namespace: 'n', name: 'x' }
  const grants = new Grants()
  grants.setRole(undefined, { metadata: { name: role }, rules: rulesOf(role) })
  grants.setBinding(undefined, {
    metadata: { name: 'b' },
    roleRef: { kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'User', name: 'u' }],
  })
  return grants.find({ user: 'u', groups: [] }, attributes) !== undefined
}

const READS = [
  'get pods',
  'list configmaps',
  'watch units.flotilla.dev',
  'get units/log.flotilla.dev',
  'list machines.flotilla.dev',
]
const EDITS = [
  'create pods',
  'delete units.flotilla.dev',
  'get secrets',
  'create units/exec.flotilla.dev',
  'patch units/scale.flotilla.dev',
]
const ADMINS = [
  'create roles.rbac.authorization.k8s.io',
  'update machines.flotilla.dev',
  'create updatepolicies.flotilla.dev',
]
const NOBODYS = [
  'update units/status.flotilla.dev',
  'create clusterroles.rbac.authorization.k8s.io',
  'delete namespaces',
]

for (const [role, allowed, refused] of [
  ['view', READS, [...EDITS, ...ADMINS, ...NOBODYS]],
  ['edit', [...READS, ...EDITS], [...ADMINS, ...NOBODYS]],
  ['admin', [...READS, ...EDITS, ...ADMINS], NOBODYS],
  ['cluster-admin', [...READS, ...EDITS, ...ADMINS, ...NOBODYS], []],
] as const)
  test(`${role} may what its name says, and no more`, () => {
    for (const text of allowed) assert.ok(may(role, text), text)
    for (const text of refused) assert.not.ok(may(role, text), text)
  })

test('each level holds all of the one below', () => {
  assert.equal(missingRules(rulesOf('edit'), rulesOf('view')), [])
  assert.equal(missingRules(rulesOf('admin'), rulesOf('edit')), [])
})

test('a labelled cluster role joins the roles that select it', () => {
  const mine: RoleObject = {
    metadata: { name: 'mine', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
    rules: [{ verbs: ['get'], apiGroups: ['example.org'], resources: ['things'] }],
  }
  const view = roles.get('view')
  assert.ok(view)
  assert.equal(
    aggregatedRules(view, [...roles.values(), mine]).filter(({ apiGroups }) => apiGroups?.includes('example.org')),
    mine.rules,
  )
})

test('selectors find by labels as everywhere', () => {
  const labels = { a: '1', b: '2' }
  const expression = (key: string, operator: string, ...values: string[]) => ({
    matchExpressions: [{ key, operator, values }],
  })
  for (const selector of [
    {},
    { matchLabels: { a: '1' } },
    expression('a', 'In', '1', '3'),
    expression('c', 'NotIn', '1'),
    expression('b', 'Exists'),
    expression('c', 'DoesNotExist'),
  ])
    assert.ok(selects(selector, labels), JSON.stringify(selector))
  for (const selector of [
    { matchLabels: { a: '2' } },
    expression('a', 'NotIn', '1'),
    expression('c', 'In', ''),
    expression('c', 'Exists'),
    expression('a', 'DoesNotExist'),
    expression('a', 'Bogus'),
    { matchLabels: { toString: 'x' } },
  ])
    assert.not.ok(selects(selector, labels), JSON.stringify(selector))
})

test('a start adds what is missing and keeps what somebody added', () => {
  const [wanted] = BUILT_IN_ROLES.filter(({ metadata }) => metadata.name === 'system:aggregate-to-edit')
  assert.ok(wanted?.rules)
  const own: PolicyRule = { verbs: ['get'], apiGroups: ['mine'], resources: ['things'] }
  const existing: RoleObject = { ...wanted, rules: [own, ...wanted.rules.slice(1)] }
  const updated = updatedRole(existing, wanted)
  assert.equal(missingRules(updated?.rules ?? [], [...wanted.rules, own]), [])
  assert.is(updated && updatedRole(updated, wanted), undefined)
})

test('a start leaves alone what is annotated so', () => {
  const [wanted] = BUILT_IN_ROLES
  assert.ok(wanted)
  const metadata = { ...wanted.metadata, annotations: { [AUTO_UPDATE]: 'false' } }
  assert.is(updatedRole({ ...wanted, metadata, rules: [] }, wanted), undefined)
})

test('a start gives a binding its subjects back, beside others', () => {
  const [wanted] = BUILT_IN_BINDINGS
  assert.ok(wanted)
  const existing: BindingObject = { ...wanted, subjects: [{ kind: 'User', name: 'bob' }] }
  assert.equal(updatedBinding(existing, wanted)?.subjects, [{ kind: 'User', name: 'bob' }, ...(wanted.subjects ?? [])])
  assert.is(updatedBinding({ ...existing, roleRef: { kind: 'ClusterRole', name: 'other' } }, wanted), undefined)
})

test.run()
