/** Who may not: 401, 403, impersonation. */
import { NAMESPACES, UNITS, unitBody } from '../api-raw.ts'
import { CONFIG_MAPS, PODS, THERE } from './places.ts'
import { bad, mayNot, type Refusal, type Row, row, rows, UNAUTHORIZED } from './row.ts'

const units = 'units.flotilla.dev'
const cluster = (verb: string, resource = units, who = 'alice'): string => {
  const [plural = '', ...group] = resource.split('.')
  return `${resource} is forbidden: User "${who}" cannot ${verb} resource "${plural}" in API group "${group.join('.')}" at the cluster scope`
}
const one = (verb: string, resource: string, name: string, where: string, who = 'alice'): string => {
  const [plural = '', ...group] = resource.split('.')
  return `${resource} "${name}" is forbidden: User "${who}" cannot ${verb} resource "${plural}" in API group "${group.join('.')}" ${where}`
}
const IN_DEFAULT = 'in the namespace "default"'
const alice = (ask: string, refused: Refusal, body?: unknown): Row =>
  row(`alice: ${ask}`, ask, { as: 'alice', ...(body !== undefined && { body }) }, refused)

export const AUTH: readonly Row[] = [
  ...rows(
    [
      `GET ${UNITS}`,
      `GET ${UNITS}?watch=1`,
      'GET /apis',
      'GET /openapi/v2',
      'GET /metrics',
      'GET /nothing',
      `POST ${UNITS}`,
      `PATCH ${THERE}`,
      `DELETE ${THERE}`,
    ],
    UNAUTHORIZED,
    { as: 'anonymous' },
  ).map((one) => ({ ...one, title: `nobody: ${one.title}` })),
  row(
    'nobody asks what they may',
    'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    { as: 'anonymous', body: {} },
    UNAUTHORIZED,
  ),
  alice(`GET ${UNITS}`, mayNot(units, undefined, cluster('list'))),
  alice(`GET ${UNITS}?watch=1`, mayNot(units, undefined, cluster('watch'))),
  alice(`GET ${THERE}`, mayNot(units, 'there.service', one('get', units, 'there.service', 'at the cluster scope'))),
  alice(
    `GET ${UNITS}/none.service`,
    mayNot(units, 'none.service', one('get', units, 'none.service', 'at the cluster scope')),
  ),
  alice(`POST ${UNITS}`, mayNot(units, undefined, cluster('create')), unitBody('a.service')),
  alice(
    `PUT ${THERE}`,
    mayNot(units, 'there.service', one('update', units, 'there.service', 'at the cluster scope')),
    'no JSON',
  ),
  alice(
    `PATCH ${THERE}`,
    mayNot(units, 'there.service', one('patch', units, 'there.service', 'at the cluster scope')),
    {},
  ),
  alice(
    `DELETE ${THERE}`,
    mayNot(units, 'there.service', one('delete', units, 'there.service', 'at the cluster scope')),
  ),
  alice(`DELETE ${UNITS}`, mayNot(units, undefined, cluster('deletecollection'))),
  alice(
    `GET ${THERE}/status`,
    mayNot(
      units,
      'there.service',
      `units.flotilla.dev "there.service" is forbidden: User "alice" cannot get resource "units/status" in API group "flotilla.dev" at the cluster scope`,
    ),
  ),
  alice(
    `GET ${CONFIG_MAPS}`,
    mayNot(
      'configmaps',
      undefined,
      `configmaps is forbidden: User "alice" cannot list resource "configmaps" in API group "" ${IN_DEFAULT}`,
    ),
  ),
  alice(`GET ${PODS}/x`, mayNot('pods', 'x', one('get', 'pods', 'x', IN_DEFAULT))),
  alice('GET /api/v1/pods', mayNot('pods', undefined, cluster('list', 'pods'))),
  alice('GET /metrics', {
    code: 403,
    reason: 'Forbidden',
    message: 'forbidden: User "alice" cannot get path "/metrics"',
  }),
  alice('GET /nothing', {
    code: 403,
    reason: 'Forbidden',
    message: 'forbidden: User "alice" cannot get path "/nothing"',
  }),
  row(
    'a viewer who writes',
    `POST ${CONFIG_MAPS}`,
    { as: 'viewer', body: {} },
    mayNot(
      'configmaps',
      undefined,
      `configmaps is forbidden: User "viewer" cannot create resource "configmaps" in API group "" ${IN_DEFAULT}`,
    ),
  ),
  row(
    'a viewer who looks at secrets',
    `GET ${CONFIG_MAPS.replace('configmaps', 'secrets')}`,
    { as: 'viewer' },
    mayNot(
      'secrets',
      undefined,
      `secrets is forbidden: User "viewer" cannot list resource "secrets" in API group "" ${IN_DEFAULT}`,
    ),
  ),
]

const like = (title: string, headers: Record<string, string>, refused: Refusal, as: Row['as'] = 'alice'): Row =>
  row(title, `GET ${UNITS}`, { headers, as }, refused)
export const IMPERSONATION: readonly Row[] = [
  like(
    'as somebody else',
    { 'impersonate-user': 'bob' },
    mayNot('users', 'bob', one('impersonate', 'users', 'bob', 'at the cluster scope')),
  ),
  like(
    'as a group alone',
    { 'impersonate-group': 'g' },
    bad('cannot impersonate groups, a uid or extra values without impersonating a user'),
    'admin',
  ),
  like(
    'as somebody who may not',
    { 'impersonate-user': 'bob' },
    mayNot(units, undefined, cluster('list', units, 'bob')),
    'admin',
  ),
  like(
    'as a service account',
    { 'impersonate-user': 'system:serviceaccount:default:x' },
    mayNot('serviceaccounts', 'x', one('impersonate', 'serviceaccounts', 'x', IN_DEFAULT)),
  ),
]

export const NAMESPACE_RIGHTS: readonly Row[] = [
  alice(`GET ${NAMESPACES}/default`, mayNot('namespaces', 'default', one('get', 'namespaces', 'default', IN_DEFAULT))),
]
