/** Reviews that are asked wrongly; roles and bindings that are wrong, or give more than their author holds. */
import { MERGE, RBAC } from '../api-raw.ts'
import {
  bad,
  forbidden,
  invalid,
  invalidPart,
  mayNot,
  notFound,
  type Refusal,
  type Row,
  required,
  row,
  unreadable,
  unsupported,
  wrong,
} from './row.ts'

const REVIEWS = '/apis/authorization.k8s.io/v1'
const review = (
  title: string,
  type: string,
  spec: unknown,
  refused: Refusal,
  path = `${REVIEWS}/${type.toLowerCase()}s`,
): Row => row(title, `POST ${path}`, { body: spec === undefined ? {} : { spec } }, refused)
const spec = (type: string, field: string, value: unknown, why: string): Refusal =>
  invalidPart(`${type}.authorization.k8s.io`, wrong(`spec.${field}`, value, why))
const EITHER = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
const LOCAL = `${REVIEWS}/namespaces/default/localsubjectaccessreviews`

export const ACCESS_REVIEWS: readonly Row[] = [
  review(
    'nothing asked',
    'SelfSubjectAccessReview',
    {},
    spec('SelfSubjectAccessReview', 'resourceAttributes', 'null', EITHER),
  ),
  review(
    'both asked',
    'SelfSubjectAccessReview',
    { resourceAttributes: {}, nonResourceAttributes: {} },
    invalidPart('SelfSubjectAccessReview.authorization.k8s.io', {
      reason: 'FieldValueInvalid',
      message: 'Invalid value: cannot be specified in combination with resourceAttributes',
      field: 'spec.nonResourceAttributes',
    }),
  ),
  review(
    'of nobody',
    'SubjectAccessReview',
    { resourceAttributes: {} },
    spec('SubjectAccessReview', 'user', '', 'at least one of user or group must be specified'),
  ),
  review(
    'a path in a namespace',
    'LocalSubjectAccessReview',
    { user: 'a', nonResourceAttributes: {} },
    invalidPart(
      'LocalSubjectAccessReview.authorization.k8s.io',
      forbidden('spec.nonResourceAttributes', 'disallowed on this kind of request'),
    ),
    LOCAL,
  ),
  review('rules of no namespace', 'SelfSubjectRulesReview', {}, bad('no namespace on request')),
  review('a spec that is a text', 'SelfSubjectAccessReview', 'x', unreadable('SelfSubjectAccessReview', /spec: /)),
  row(
    'another kind',
    `POST ${REVIEWS}/selfsubjectaccessreviews`,
    { body: { kind: 'Pod' } },
    bad(
      'the API version in the data (authorization.k8s.io/v1, Kind=Pod) does not match the expected API version (authorization.k8s.io/v1, Kind=SelfSubjectAccessReview)',
    ),
  ),
  row(
    'no JSON',
    `POST ${REVIEWS}/selfsubjectaccessreviews`,
    { body: '{' },
    unreadable('SelfSubjectAccessReview', /couldn't get version\/kind; json parse error: /),
  ),
]

const RULES = 'rbac.authorization.k8s.io'
const role = (title: string, rules: unknown, ...causes: Parameters<typeof invalid>[2][]): Row =>
  row(
    title,
    `POST ${RBAC}/clusterroles`,
    { body: { metadata: { name: 'r' }, rules } },
    invalid(`ClusterRole.${RULES}`, 'r', ...causes),
  )
const rule = (rest: object) => [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], ...rest }]
const binding = (title: string, rest: object, ...causes: Parameters<typeof invalid>[2][]): Row =>
  row(
    title,
    `POST ${RBAC}/clusterrolebindings`,
    { body: { metadata: { name: 'b' }, roleRef: { kind: 'ClusterRole', name: 'reader' }, ...rest } },
    invalid(`ClusterRoleBinding.${RULES}`, 'b', ...causes),
  )
const grants = (plural: string, name: string, rules: string): Refusal =>
  mayNot(
    `${plural}.${RULES}`,
    name,
    `${plural}.${RULES} "${name}" is forbidden: user "editor" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n${rules}`,
  )
const asEditor = (title: string, plural: string, body: object, refused: Refusal): Row =>
  row(title, `POST ${RBAC}/${plural}`, { as: 'editor', body }, refused)
const SECRETS = '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'

export const ROLES: readonly Row[] = [
  role('no verbs', rule({ verbs: [] }), required('rules[0].verbs')),
  role('no groups', rule({ apiGroups: [] }), required('rules[0].apiGroups')),
  role('no resources', rule({ resources: [] }), required('rules[0].resources')),
  role(
    'paths and resources',
    rule({ nonResourceURLs: ['/x'] }),
    wrong('rules[0].nonResourceURLs', ['/x'], 'rules cannot apply to both regular resources and non-resource URLs'),
  ),
  row(
    'paths in a namespace',
    `POST ${RBAC}/namespaces/default/roles`,
    { body: { metadata: { name: 'r' }, rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] } },
    invalid(
      `Role.${RULES}`,
      'r',
      wrong('rules[0].nonResourceURLs', ['/x'], 'namespaced rules cannot apply to non-resource URLs'),
    ),
  ),
  binding(
    'to another kind',
    { roleRef: { kind: 'Pod', name: 'x' } },
    unsupported('roleRef.kind', 'Pod', 'ClusterRole'),
  ),
  binding(
    'to a role of another group',
    { roleRef: { apiGroup: 'x', kind: 'ClusterRole', name: 'x' } },
    unsupported('roleRef.apiGroup', 'x', RULES),
  ),
  binding('to no name', { roleRef: { kind: 'ClusterRole', name: '' } }, required('roleRef.name')),
  binding(
    'of a strange subject',
    { subjects: [{ kind: 'Cat', name: 'x' }] },
    unsupported('subjects[0].kind', 'Cat', 'ServiceAccount', 'User', 'Group'),
  ),
  binding('of nobody', { subjects: [{ kind: 'User', name: '' }] }, required('subjects[0].name')),
  binding(
    'of an account nowhere',
    { subjects: [{ kind: 'ServiceAccount', name: 'x' }] },
    required('subjects[0].namespace'),
  ),
  row(
    'another role for a binding',
    `PATCH ${RBAC}/clusterrolebindings/viewer`,
    { type: MERGE, body: { roleRef: { name: 'edit' } } },
    invalid(
      `ClusterRoleBinding.${RULES}`,
      'viewer',
      wrong('roleRef', { apiGroup: RULES, kind: 'ClusterRole', name: 'edit' }, 'cannot change roleRef'),
    ),
  ),
  asEditor(
    'a role beyond one’s own',
    'clusterroles',
    { metadata: { name: 'big' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }] },
    grants('clusterroles', 'big', SECRETS),
  ),
  asEditor(
    'a binding beyond one’s own',
    'clusterrolebindings',
    {
      metadata: { name: 'mine' },
      roleRef: { kind: 'ClusterRole', name: 'reader' },
      subjects: [{ kind: 'User', name: 'editor' }],
    },
    grants('clusterrolebindings', 'mine', '{APIGroups:[""], Resources:["configmaps"], Verbs:["get"]}'),
  ),
  asEditor(
    'a binding to no role',
    'clusterrolebindings',
    { metadata: { name: 'mine' }, roleRef: { kind: 'ClusterRole', name: 'none' } },
    notFound(`clusterroles.${RULES}`, 'none'),
  ),
  asEditor(
    'a role that gathers',
    'clusterroles',
    { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{}] } },
    mayNot(
      `clusterroles.${RULES}`,
      'all',
      `clusterroles.${RULES} "all" is forbidden: must have cluster-admin privileges to use the aggregationRule`,
    ),
  ),
]
