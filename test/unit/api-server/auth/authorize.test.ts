import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Attributes,
  authorize,
  meetsCondition,
  ownsUnit,
  type ResourceAttributes,
} from '../../../../api-server/auth/authorize.ts'
import { ANONYMOUS, type Identity } from '../../../../api-server/auth/identity.ts'

const authenticated = 'system:authenticated'
const admin: Identity = { user: 'admin', groups: ['system:masters', authenticated] }
const apiServer: Identity = { user: 'flotilla:api-server', groups: [authenticated] }
const controllers: Identity = { user: 'flotilla:controllers', groups: [authenticated] }
const m1: Identity = { user: 'machine:m1', groups: ['flotilla:machines', authenticated] }
const alice: Identity = { user: 'alice', groups: ['people', authenticated] }

const LEASES = 'leases.coordination.k8s.io'
const OWN = { namespace: 'flotilla-machines', name: 'm1' }

/** `verb resource[/subresource][.group]`, or `verb /path`. */
function asked(text: string, rest: Pick<ResourceAttributes, 'name' | 'namespace'> = {}): Attributes {
  const [verb = '', what = ''] = text.split(' ')
  if (what.startsWith('/')) return { verb, path: what }
  const [, resource = '', subresource, group = ''] = /^([a-z]+)(?:\/([a-z]+))?(?:\.(.+))?$/.exec(what) ?? []
  return { verb, group, resource, subresource, ...rest }
}

type Row = readonly [Identity, string, Pick<ResourceAttributes, 'name' | 'namespace'>?]

const ALLOWED: readonly Row[] = [
  [admin, 'delete secrets', { namespace: 'default', name: 's' }],
  [admin, 'create units/exec.flotilla.dev', { name: 'web.service' }],
  [admin, 'get /metrics'],
  [apiServer, 'list secrets'],
  [controllers, 'create units.flotilla.dev'],
  [controllers, 'deletecollection units.flotilla.dev'],
  [controllers, 'patch updatepolicies/status.flotilla.dev', { name: 'p' }],
  [controllers, `update ${LEASES}`, { namespace: 'kube-system', name: 'scheduler' }],
  [controllers, 'create events', { namespace: 'default' }],
  [controllers, 'patch events.events.k8s.io', { namespace: 'default', name: 'e' }],
  [controllers, 'watch namespaces'],
  [controllers, 'get /openapi/v3'],
  [controllers, 'list secrets'],
  [controllers, 'patch ships.test.dev', { namespace: 'default', name: 's' }],
  [controllers, 'delete configmaps', { namespace: 'default', name: 'c' }],
  [controllers, 'update poddisruptionbudgets/status.policy', { namespace: 'default', name: 'b' }],
  [m1, 'watch units.flotilla.dev'],
  [m1, 'list subnets.flotilla.dev'],
  [m1, 'get machines.flotilla.dev', { name: 'm2' }],
  [m1, 'list namespaces'],
  [m1, 'watch endpointslices.discovery.k8s.io', { namespace: 'default' }],
  [m1, 'patch machines.flotilla.dev', { name: 'm1' }],
  [m1, 'update machines/status.flotilla.dev', { name: 'm1' }],
  [m1, `get ${LEASES}`, OWN],
  [m1, `update ${LEASES}`, OWN],
  [m1, `patch ${LEASES}`, OWN],
  [m1, 'create events', { namespace: 'default' }],
  [m1, 'patch events', { namespace: 'default', name: 'e' }],
  [m1, 'get /apis/flotilla.dev/v1'],
  [alice, 'create selfsubjectaccessreviews.authorization.k8s.io'],
  [alice, 'get /version'],
  [ANONYMOUS, 'get /version'],
  [ANONYMOUS, 'get /healthz'],
  [ANONYMOUS, 'get /livez'],
  [ANONYMOUS, 'get /readyz'],
]

const DENIED: readonly Row[] = [
  [controllers, 'create secrets', { namespace: 'default' }],
  [controllers, 'update configmaps', { namespace: 'default', name: 'c' }],
  [controllers, 'deletecollection pods', { namespace: 'default' }],
  [controllers, 'create units/exec.flotilla.dev', { name: 'web.service' }],
  [controllers, 'get machines/log.flotilla.dev', { name: 'm1' }],
  [controllers, 'get /metrics'],
  [m1, 'get secrets', { namespace: 'default', name: 's' }],
  [m1, 'list configmaps'],
  [m1, 'create units.flotilla.dev'],
  [m1, 'patch units.flotilla.dev', { name: 'web.service' }],
  [m1, 'delete units.flotilla.dev', { name: 'web.service' }],
  [m1, 'get machines/exec.flotilla.dev', { name: 'm2' }],
  [m1, 'get machines/exec.flotilla.dev', { name: 'm1' }],
  [m1, 'get units/log.flotilla.dev', { name: 'web.service' }],
  [m1, 'patch machines.flotilla.dev', { name: 'm2' }],
  [m1, 'patch machines/status.flotilla.dev', { name: 'm2' }],
  [m1, 'patch machines/status.flotilla.dev'],
  [m1, 'delete machines.flotilla.dev', { name: 'm1' }],
  [m1, `update ${LEASES}`, { ...OWN, name: 'm2' }],
  [m1, `update ${LEASES}`, { ...OWN, namespace: 'kube-system' }],
  [m1, `create ${LEASES}`, { namespace: 'kube-system' }],
  [m1, `delete ${LEASES}`, OWN],
  [m1, 'delete events', { namespace: 'default', name: 'e' }],
  [m1, 'get /metrics'],
  [alice, 'list units.flotilla.dev'],
  [alice, 'post /version'],
  [ANONYMOUS, 'list units.flotilla.dev'],
  [ANONYMOUS, 'get /apis'],
  [ANONYMOUS, 'get /version/../metrics'],
  [{ user: 'machine:m1', groups: [authenticated] }, 'list units.flotilla.dev'],
  [{ user: 'machine:', groups: ['flotilla:machines'] }, 'list units.flotilla.dev'],
  [{ user: 'machine:*', groups: ['flotilla:machines'] }, 'patch machines.flotilla.dev', { name: 'm2' }],
]

const test = suite('authorize')

for (const [identity, text, rest] of ALLOWED) {
  test(`${identity.user} may ${text} ${JSON.stringify(rest ?? {})}`, () => {
    const decision = authorize(identity, asked(text, rest))
    assert.is(decision.allowed, true)
    assert.not('condition' in decision)
  })
}

for (const [identity, text, rest] of DENIED) {
  test(`${identity.user} may not ${text} ${JSON.stringify(rest ?? {})}`, () => {
    assert.is(authorize(identity, asked(text, rest)).allowed, false)
  })
}

test('a machine reports only on the units it should run or still holds', () => {
  const decision = authorize(m1, asked('patch units/status.flotilla.dev', { name: 'web.service' }))
  assert.is(decision.allowed && decision.condition, 'holds-unit')
  assert.ok(ownsUnit(m1, { spec: { machineName: 'm1' } }))
  assert.ok(ownsUnit(m1, { spec: { machineName: 'm2' }, status: { machineName: 'm1' } }))
  assert.not(ownsUnit(m1, { spec: { machineName: 'm2' }, status: { machineName: '' } }))
  assert.not(ownsUnit(m1, {}))
  assert.not(ownsUnit(alice, { spec: { machineName: 'alice' } }))
})

test('a machine creates the lease that bears its name and no other', () => {
  const decision = authorize(m1, asked(`create ${LEASES}`, { namespace: 'flotilla-machines' }))
  assert.is(decision.allowed && decision.condition, 'own-name')
  assert.ok(meetsCondition(m1, 'own-name', { metadata: { name: 'm1' } }))
  assert.not(meetsCondition(m1, 'own-name', { metadata: { name: 'm2' } }))
  assert.not(meetsCondition(m1, 'own-name', { metadata: {} }))
})

test('a condition binds only those whose role carries it', () => {
  const decision = authorize(controllers, asked('patch units/status.flotilla.dev', { name: 'web.service' }))
  assert.ok(decision.allowed)
  assert.not('condition' in decision)
})

const TEXTS: readonly (readonly [Row, string])[] = [
  [
    [alice, 'list units.flotilla.dev'],
    'units.flotilla.dev is forbidden: User "alice" cannot list resource "units" in API group "flotilla.dev" at the cluster scope',
  ],
  [
    [alice, 'get units/status.flotilla.dev', { name: 'web@1.service' }],
    'units.flotilla.dev "web@1.service" is forbidden: User "alice" cannot get resource "units/status" in API group "flotilla.dev" at the cluster scope',
  ],
  [
    [m1, 'list configmaps', { namespace: 'default' }],
    'configmaps is forbidden: User "machine:m1" cannot list resource "configmaps" in API group "" in the namespace "default"',
  ],
  [[ANONYMOUS, 'get /metrics'], 'forbidden: User "system:anonymous" cannot get path "/metrics"'],
]

for (const [[identity, text, rest], message] of TEXTS) {
  test(`a denial says: ${message}`, () => assert.is(authorize(identity, asked(text, rest)).reason, message))
}

test.run()
