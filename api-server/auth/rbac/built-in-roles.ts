/**
 * The cluster roles and bindings that every installation has, under Kubernetes' names. `admin`, `edit` and `view` are
 * put together from others by label, so that users' own kinds join them by adding a labelled cluster role. What the
 * fixed roles give to everybody who is known (discovery, asking about oneself) is not repeated here.
 */
import { ETCD_V2_USER, FLEET_V1_USER } from '../identity.ts'
import type { BindingObject, PolicyRule, RoleObject } from './policy.ts'
import { RBAC_GROUP } from './policy.ts'

const READ = ['get', 'list', 'watch']
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update']
const AGGREGATE_TO = 'rbac.authorization.k8s.io/aggregate-to-'
export const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

const BUILT_IN = {
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { [AUTO_UPDATE]: 'true' },
}

type Level = 'admin' | 'edit' | 'view'

const rule = (verbs: readonly string[], group: string, ...resources: string[]): PolicyRule => ({
  verbs,
  apiGroups: [group],
  resources,
})

const VIEW: readonly PolicyRule[] = [
  rule(READ, '', 'configmaps', 'endpoints', 'pods', 'serviceaccounts', 'services', 'services/status'),
  rule(READ, '', 'pods/log', 'pods/status', 'events', 'limitranges', 'namespaces', 'namespaces/status'),
  rule(READ, '', 'resourcequotas', 'resourcequotas/status'),
  rule(READ, 'discovery.k8s.io', 'endpointslices'),
  rule(READ, 'events.k8s.io', 'events'),
  rule(READ, 'policy', 'poddisruptionbudgets', 'poddisruptionbudgets/status'),
]

const EDIT: readonly PolicyRule[] = [
  rule(READ, '', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'),
  rule(['impersonate'], '', 'serviceaccounts'),
  rule(WRITE, '', 'pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'),
  rule(['create'], '', 'pods/eviction', 'serviceaccounts/token'),
  rule(WRITE, '', 'configmaps', 'events', 'secrets', 'serviceaccounts', 'services', 'services/proxy'),
  rule(WRITE, 'policy', 'poddisruptionbudgets'),
  rule([...READ, ...WRITE], 'coordination.k8s.io', 'leases'),
]

const ADMIN: readonly PolicyRule[] = [
  rule(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule([...READ, ...WRITE], RBAC_GROUP, 'rolebindings', 'roles'),
]

const FLOTILLA = 'flotilla.dev'

/** Who may write units is root on the machines that run them, so `edit` of units includes reaching into them. */
const FLEET: Readonly<Record<Level, readonly PolicyRule[]>> = {
  view: [
    rule(READ, FLOTILLA, 'machines', 'machines/status', 'subnets', 'subnets/status', 'units', 'units/status'),
    rule(READ, FLOTILLA, 'units/log', 'units/scale', 'units/status-text', 'updatepolicies', 'updatepolicies/status'),
    rule(READ, '', 'nodes', 'nodes/status'),
  ],
  edit: [
    rule(WRITE, FLOTILLA, 'units'),
    rule(['patch', 'update'], FLOTILLA, 'units/scale'),
    rule(['create', 'get'], FLOTILLA, 'units/action', 'units/exec'),
  ],
  admin: [
    rule(WRITE, FLOTILLA, 'machines', 'subnets', 'updatepolicies'),
    rule(['create', 'get'], FLOTILLA, 'machines/exec', 'machines/log'),
    rule(['patch', 'update'], '', 'nodes'),
  ],
}

/** `admin` finds what is marked for itself, for `edit` and for `view`, each by way of the one below. */
function aggregated(name: Level, joins: Level | undefined, from: readonly string[]): RoleObject {
  return {
    metadata: { name, annotations: BUILT_IN.annotations, labels: { ...BUILT_IN.labels, ...joining(joins) } },
    aggregationRule: { clusterRoleSelectors: from.map((label) => ({ matchLabels: { [label]: 'true' } })) },
    rules: [],
  }
}

function contribution(name: string, to: Level, rules: readonly PolicyRule[]): RoleObject {
  return {
    metadata: { name, annotations: BUILT_IN.annotations, labels: { ...BUILT_IN.labels, ...joining(to) } },
    rules,
  }
}

function joining(to: Level | undefined): Record<string, string> {
  return to === undefined ? {} : { [`${AGGREGATE_TO}${to}`]: 'true' }
}

const CLUSTER_ADMIN: RoleObject = {
  metadata: { name: 'cluster-admin', ...BUILT_IN },
  rules: [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ],
}

const MONITORING: RoleObject = {
  metadata: { name: 'system:monitoring', ...BUILT_IN },
  rules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/livez', '/livez/*', '/metrics', '/readyz', '/readyz/*'] }],
}

/** Who reaches the etcd v2 door's own listener has these rights on the objects that its keys show. */
const LEGACY_V2: RoleObject = {
  metadata: { name: ETCD_V2_USER, ...BUILT_IN },
  rules: [rule([...READ, 'create', 'delete', 'update'], FLOTILLA, 'subnets')],
}

/** Who reaches the fleet v1 door's own listener: fleetctl's verbs, and metadata of machines, which are labels. */
const LEGACY_FLEET: RoleObject = {
  metadata: { name: FLEET_V1_USER, ...BUILT_IN },
  rules: [rule([...READ, ...WRITE], FLOTILLA, 'units'), rule([...READ, 'patch'], FLOTILLA, 'machines')],
}

export const BUILT_IN_ROLES: readonly RoleObject[] = [
  CLUSTER_ADMIN,
  LEGACY_FLEET,
  LEGACY_V2,
  MONITORING,
  aggregated('admin', undefined, [`${AGGREGATE_TO}admin`]),
  aggregated('edit', 'admin', [`${AGGREGATE_TO}edit`]),
  aggregated('view', 'edit', [`${AGGREGATE_TO}view`]),
  contribution('system:aggregate-to-admin', 'admin', ADMIN),
  contribution('system:aggregate-to-edit', 'edit', EDIT),
  contribution('system:aggregate-to-view', 'view', VIEW),
  contribution('flotilla:aggregate-to-admin', 'admin', FLEET.admin),
  contribution('flotilla:aggregate-to-edit', 'edit', FLEET.edit),
  contribution('flotilla:aggregate-to-view', 'view', FLEET.view),
]

function bindingTo(name: string, subject: string, kind: 'Group' | 'User' = 'Group'): BindingObject {
  return {
    metadata: { name, ...BUILT_IN },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name },
    subjects: [{ apiGroup: RBAC_GROUP, kind, name: subject }],
  }
}

export const BUILT_IN_BINDINGS: readonly BindingObject[] = [
  bindingTo('cluster-admin', 'system:masters'),
  bindingTo(ETCD_V2_USER, ETCD_V2_USER, 'User'),
  bindingTo(FLEET_V1_USER, FLEET_V1_USER, 'User'),
  bindingTo('system:monitoring', 'system:monitoring'),
]
