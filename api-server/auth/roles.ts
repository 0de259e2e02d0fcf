/**
 * What each kind of caller may do, as data. A machine may see every flotilla.dev object and write only what is its own;
 * of ConfigMaps and Secrets it may read those that its units name (machine-sources.ts). Nobody but people (and the API
 * server itself) reaches log, exec and action, which would let one machine command another.
 */
import {
  API_SERVER_USER,
  AUTHENTICATED_GROUP,
  CONTROLLERS_USER,
  type Identity,
  MASTERS_GROUP,
  machineOf,
} from './identity.ts'

/** What cannot be told from the request alone; see `meetsCondition`. */
export type Condition = 'holds-unit' | 'own-name'

/** Every listed field must match; '*' in a list matches anything (not in `names`); a field left out is not looked at. */
export interface ResourceRule {
  readonly verbs: readonly string[]
  readonly groups: readonly string[]
  readonly resources: readonly string[]
  /** '' is the object itself. */
  readonly subresources: readonly string[]
  readonly namespaces?: readonly string[]
  readonly names?: readonly string[]
  readonly condition?: Condition
}

/** A path ending in '*' matches every path that begins with what is before it. */
export interface PathRule {
  readonly verbs: readonly string[]
  readonly paths: readonly string[]
}

export interface Role {
  readonly resources: readonly ResourceRule[]
  readonly paths: readonly PathRule[]
}

const FLOTILLA = 'flotilla.dev'
const MACHINE_LEASES = 'flotilla-machines'
const ALL = ['*']
const OBJECT = ['']
const READ = ['get', 'list', 'watch']
/** What is stored, as against log, exec and action, which reach into a machine. */
const STORED = ['', 'status', 'scale']

const HEALTH = ['/version', '/healthz', '/livez', '/livez/*', '/readyz', '/readyz/*']
const DISCOVERY = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*']

const EVERYTHING: Role = {
  resources: [{ verbs: ALL, groups: ALL, resources: ALL, subresources: ALL }],
  paths: [{ verbs: ALL, paths: ALL }],
}

const EVERYBODY: Role = { resources: [], paths: [{ verbs: ['get'], paths: HEALTH }] }

const AUTHENTICATED: Role = {
  resources: [
    {
      verbs: ['create'],
      groups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      subresources: OBJECT,
    },
    { verbs: ['create'], groups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], subresources: OBJECT },
  ],
  paths: [{ verbs: ['get'], paths: DISCOVERY }],
}

const CONTROLLERS: Role = {
  resources: [
    { verbs: ALL, groups: [FLOTILLA], resources: ALL, subresources: STORED },
    { verbs: ALL, groups: ['coordination.k8s.io'], resources: ['leases'], subresources: OBJECT },
    { verbs: ALL, groups: ['', 'events.k8s.io'], resources: ['events'], subresources: OBJECT },
    // The garbage collector follows whatever has owners, and deletes it or takes its references and finalizers off.
    { verbs: [...READ, 'patch', 'delete'], groups: ALL, resources: ALL, subresources: OBJECT },
    { verbs: ['update'], groups: ['policy'], resources: ['poddisruptionbudgets'], subresources: ['status'] },
  ],
  paths: [],
}

/** A memo, not state: an identity lives as long as its connection, and its roles follow from it alone. */
const known = new WeakMap<Identity, readonly Role[]>()

/** Every fixed role an identity has; RBAC may add to them. */
export function rolesOf(identity: Identity): readonly Role[] {
  let roles = known.get(identity)
  if (roles === undefined) {
    roles = workOut(identity)
    known.set(identity, roles)
  }
  return roles
}

function workOut(identity: Identity): readonly Role[] {
  const { user, groups } = identity
  if (groups.includes(MASTERS_GROUP) || user === API_SERVER_USER) return [EVERYTHING]
  const machine = machineOf(identity)
  return [
    EVERYBODY,
    ...(groups.includes(AUTHENTICATED_GROUP) ? [AUTHENTICATED] : []),
    ...(user === CONTROLLERS_USER ? [CONTROLLERS] : []),
    ...(machine === undefined ? [] : [machineRole(machine)]),
  ]
}

function machineRole(name: string): Role {
  const lease = { groups: ['coordination.k8s.io'], resources: ['leases'], subresources: OBJECT }
  const ownLease = { ...lease, namespaces: [MACHINE_LEASES] }
  const change = ['update', 'patch']
  return {
    resources: [
      { verbs: READ, groups: [FLOTILLA], resources: ALL, subresources: STORED },
      { verbs: READ, groups: [''], resources: ['namespaces'], subresources: OBJECT },
      { verbs: READ, groups: ['discovery.k8s.io'], resources: ['endpointslices'], subresources: OBJECT },
      { verbs: change, groups: [FLOTILLA], resources: ['machines'], subresources: ['', 'status'], names: [name] },
      { verbs: change, groups: [FLOTILLA], resources: ['units'], subresources: ['status'], condition: 'holds-unit' },
      { verbs: ['get', ...change], ...ownLease, names: [name] },
      { verbs: ['create'], ...ownLease, condition: 'own-name' }, // a create's name is in its body, not in its URL
      { verbs: ['create', 'patch'], groups: ['', 'events.k8s.io'], resources: ['events'], subresources: OBJECT },
    ],
    paths: [],
  }
}
