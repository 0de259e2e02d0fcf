/** Paths that lead nowhere, verbs that are not for them, forms of answers that nobody makes. */
import { LEASES, NAMESPACES, UNITS, unitBody } from '../api-raw.ts'
import { LEASE, POD, THERE, WEB } from './places.ts'
import { bad, NO_PATH, NOT_ALLOWED, notFound, type Row, row, rows } from './row.ts'

const segment = (text: string, why: string) => bad(`invalid path segment ${JSON.stringify(text)}: ${why}`)

const NOT_ACCEPTABLE = {
  code: 406,
  reason: 'NotAcceptable',
  message: 'only the following media types are accepted: application/json, application/json;stream=watch',
}

export const PATHS: readonly Row[] = [
  row('what is not there', `GET ${UNITS}/none.service`, {}, notFound('units.flotilla.dev', 'none.service')),
  row('a core object that is not there', 'GET /api/v1/namespaces/default/pods/none', {}, notFound('pods', 'none')),
  row('an object in a namespace that is not there', 'GET /api/v1/namespaces/no/pods/x', {}, notFound('pods', 'x')),
  ...rows(
    [
      'GET /apis/flotilla.dev/v1/boats',
      'POST /apis/flotilla.dev/v1/boats',
      'GET /apis/flotilla.dev/v9/units',
      'GET /apis/nowhere.dev/v1/units',
      'GET /apis/nowhere.dev/v1',
      'GET /apis/flotilla.dev/v9',
      'GET /api/v2',
      'GET /api/v2/pods',
      'GET /nothing',
      'GET /',
      `GET ${THERE}/eviction`,
      `GET ${LEASE}/status`,
      `GET ${LEASE}/scale`,
      `GET ${UNITS}//status`,
      `GET ${UNITS}/`,
      `GET /${UNITS}`,
      `GET ${UNITS.replace('/v1', '//v1')}`,
      `GET ${LEASES}/a/b/c/d`,
      'GET /apis/coordination.k8s.io/v1/leases/lease',
      'GET /apis/flotilla.dev/v1/namespaces/default/units',
      'GET /apis/flotilla.dev/v1/__proto__',
      'GET /apis/flotilla.dev/v1/constructor',
      'GET /apis/__proto__/v1/units',
      `GET ${THERE}/__proto__`,
      'GET /openapi/v3/apis/nowhere.dev/v1',
    ],
    NO_PATH,
  ),
  row('a step up', 'GET /apis/flotilla.dev/v1/../v1/units', {}, segment('..', "may not be '..'")),
  row('an encoded step up', `GET ${UNITS}/%2e%2e`, {}, segment('..', "may not be '..'")),
  row('a single dot', `GET ${UNITS}/.`, {}, segment('.', "may not be '.'")),
  row('an encoded slash', `GET ${UNITS}/a%2fb`, {}, segment('a/b', "may not contain '/'")),
  row('an encoded zero byte', `GET ${UNITS}/a%00`, {}, segment('a\u0000', 'may not contain control characters')),
  row('an encoded line feed', `GET ${UNITS}/a%0a`, {}, segment('a\n', 'may not contain control characters')),
  row('double encoding', `GET ${UNITS}/%252e%252e`, {}, segment('%2e%2e', "may not contain '%'")),
  row('an encoding that is none', `GET ${UNITS}/%zz`, {}, bad(`'${UNITS}/%zz' is not a valid url component`)),
  row('an encoding of no text', `GET ${UNITS}/%ff`, {}, bad(`'${UNITS}/%ff' is not a valid url component`)),
  row(
    'a name too long',
    `GET ${UNITS}/${'x'.repeat(300)}`,
    {},
    segment('x'.repeat(300), 'must be no more than 253 bytes'),
  ),
]

export const VERBS: readonly Row[] = [
  ...rows(
    [
      `POST ${THERE}`,
      `PATCH ${UNITS}`,
      `DELETE ${NAMESPACES}`,
      `DELETE ${THERE}/status`,
      `POST ${THERE}/status`,
      `DELETE ${WEB}/scale`,
      `POST ${WEB}/scale`,
      `GET ${NAMESPACES}/default/finalize`,
      `GET ${POD}/eviction`,
      `DELETE ${POD}/eviction`,
      `POST ${UNITS.replace('units', 'watch/units')}`,
      `DELETE ${UNITS.replace('units', 'watch/units')}/there.service`,
      'POST /apis/coordination.k8s.io/v1/leases',
      'POST /api/v1/configmaps',
      `OPTIONS ${UNITS}`,
      `TRACE ${UNITS}`,
      `PROPFIND ${UNITS}`,
      'POST /version',
      'DELETE /apis',
      'PUT /healthz',
      'PATCH /metrics',
      'POST /openapi/v3',
      'DELETE /openapi/v2',
      'GET /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    ],
    NOT_ALLOWED,
  ),
  row('PUT on a collection', `PUT ${UNITS}`, { body: unitBody('a.service') }, bad('name must be provided')),
]

const AS = 'application/json;as'
const accepting = (title: string, accept: string, path = UNITS) =>
  row(title, `GET ${path}`, { headers: { accept } }, NOT_ACCEPTABLE)

export const FORMS: readonly Row[] = [
  accepting('XML of a list', 'text/xml'),
  accepting('HTML of an object', 'text/html', THERE),
  accepting('a form nobody knows', `${AS}=Drawing;v=v1;g=meta.k8s.io`),
  accepting('a form of an old version alone', `${AS}=Table;v=v1beta1;g=meta.k8s.io`),
  accepting('a form that every object has', `${AS}=constructor`),
  row(
    'a table of strange objects',
    `GET ${UNITS}?includeObject=Some`,
    { headers: { accept: `${AS}=Table;v=v1;g=meta.k8s.io` } },
    bad(
      `Unable to convert to Table as requested: includeObject: Invalid value: "Some": must be 'Metadata', 'Object', 'None', or empty`,
    ),
  ),
]
