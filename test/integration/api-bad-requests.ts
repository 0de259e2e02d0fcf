/**
 * Requests that are wrong, and what they are answered. One table, because what matters is that none is missing: that is
 * why this file is long.
 */
import { type Ask, JSON_PATCH, LEASES, MERGE, NAMESPACES, STRATEGIC, UNITS, unitBody } from './api-raw.ts'

export interface Row extends Ask {
  readonly title: string
  readonly ask: string
  readonly code: number
  readonly reason: string
  readonly says?: RegExp
  readonly fields?: readonly string[]
}

export const THERE = `${UNITS}/there.service`
export const GOING = `${UNITS}/going.service`
export const WEB = `${UNITS}/web@.service`
const post = (title: string, body: unknown, rest: Partial<Row>): Row => ({
  title,
  ask: `POST ${UNITS}`,
  body,
  code: 400,
  reason: 'BadRequest',
  ...rest,
})
const get = (title: string, path: string, rest: Partial<Row> = {}): Row => ({
  title,
  ask: `GET ${path}`,
  code: 400,
  reason: 'BadRequest',
  ...rest,
})
const patch = (title: string, path: string, type: string, body: unknown, rest: Partial<Row>): Row => ({
  title,
  ask: `PATCH ${path}`,
  type,
  body,
  code: 400,
  reason: 'BadRequest',
  ...rest,
})
const INVALID = { code: 422, reason: 'Invalid' }
const NOT_FOUND = { code: 404, reason: 'NotFound' }
const NOT_ALLOWED = { code: 405, reason: 'MethodNotAllowed', says: /the server does not allow this method/ }
const MEDIA = { code: 415, reason: 'UnsupportedMediaType', says: /unknown format|not accepted/ }

const unit = unitBody('new.service')
const withSpec = (spec: object) => unitBody('new.service', spec as Record<string, unknown>)
const withMeta = (metadata: object) => unitBody('new.service', {}, metadata as Record<string, unknown>)

const BODIES: readonly Row[] = [
  post('no body', '', { says: /must be of type Unit.*json parse error/ }),
  post('half a body', '{"metadata":', { says: /json parse error/ }),
  post('no JSON', 'hello', { says: /json parse error/ }),
  post('a list', [], { says: /must be of type Unit/ }),
  post('a text', '"x"', { says: /must be of type Unit/ }),
  post('null', 'null', { says: /must be of type Unit/ }),
  post('a number', '7', { says: /must be of type Unit/ }),
  post('YAML that is none', 'a: [', { type: 'application/yaml', says: /yaml parse error/ }),
  post('two YAML documents', 'a: 1\n---\nb: 2\n', { type: 'application/yaml', says: /yaml parse error.*one document/ }),
  post('a YAML bomb', `a: &a [${'x,'.repeat(50)}x]\nb: &b [${'*a,'.repeat(50)}*a]\nc: [${'*b,'.repeat(50)}*b]\n`, {
    type: 'application/yaml',
    says: /yaml parse error/,
  }),
  post('nesting beyond reason', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, { says: /nested deeper than 128/ }),
  post('nesting of objects', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, { says: /nested deeper than 128/ }),
  post('a million values', `[${'1,'.repeat(1_000_000)}1]`, { says: /more than 50000 values/ }),
  post('a body beyond 3 MiB', ' '.repeat(3 * 1024 * 1024 + 1), {
    code: 413,
    reason: 'RequestEntityTooLarge',
    says: /limit is 3145728/,
  }),
  post('YAML beyond 256 KiB', `a: ${'x'.repeat(300_000)}`, {
    type: 'application/yaml',
    code: 413,
    reason: 'RequestEntityTooLarge',
  }),
  post('a media type nobody speaks', '<unit/>', { type: 'text/xml', ...MEDIA }),
  post('a form', 'a=b', { type: 'application/x-www-form-urlencoded', ...MEDIA }),
  post('protobuf that says nothing', Buffer.from('k8s\0'), {
    type: 'application/vnd.kubernetes.protobuf',
    says: /does not say its apiVersion and kind/,
  }),
  post('protobuf of a kind that has no table', Buffer.from('k8s\0\n\x0c\n\x02v1\x12\x06Gadget'), {
    type: 'application/vnd.kubernetes.protobuf',
    ...MEDIA,
    says: /Gadget \(v1\) cannot be read as protobuf/,
  }),
]

const FIELDS: readonly Row[] = [
  post('another kind', { ...unit, kind: 'Pod' }, { says: /does not match the expected API version/ }),
  post(
    'another version',
    { ...unit, apiVersion: 'flotilla.dev/v2' },
    { says: /does not match the expected API version/ },
  ),
  post('an unknown field under Strict', withSpec({ bogus: 1 }), {
    ask: `POST ${UNITS}?fieldValidation=Strict`,
    says: /^Unit in version "v1" cannot be handled as a Unit: strict decoding error: unknown field "spec\.bogus"$/,
  }),
  post('a duplicate field under Strict', JSON.stringify(unit).replace('"kind"', '"kind":"Unit","kind"'), {
    ask: `POST ${UNITS}?fieldValidation=Strict`,
    says: /strict decoding error: duplicate field "kind"/,
  }),
  post('no spec', { ...unit, spec: undefined }, { ...INVALID, fields: ['spec'] }),
  post(
    'no content',
    { ...unit, spec: {} },
    {
      ...INVALID,
      fields: ['spec.content'],
      says: /^Unit\.flotilla\.dev "new\.service" is invalid: spec\.content: Required value$/,
    },
  ),
  post('an empty content', withSpec({ content: ' ' }), { ...INVALID, fields: ['spec.content'] }),
  post('a content that is a number', withSpec({ content: 5 }), {
    ...INVALID,
    fields: ['spec.content'],
    says: /must be of type string: "integer"/,
  }),
  post('two mistakes', withSpec({ content: 5, failover: 'never' }), {
    ...INVALID,
    fields: ['spec.content', 'spec.failover'],
    says: /is invalid: \[spec\.content: .*, spec\.failover: Unsupported value: "never": supported values: "reschedule", "exclusive", "none"\]$/,
  }),
  post('too many replicas', withSpec({ replicas: 1_000_000 }), {
    ...INVALID,
    fields: ['spec.replicas'],
    says: /less than or equal to 10000/,
  }),
  post('replicas that are a text', withSpec({ replicas: '3' }), { ...INVALID, fields: ['spec.replicas'] }),
  post('a wrong name deep inside', withSpec({ environment: [{ name: 'OK' }, { name: '1BAD' }] }), {
    ...INVALID,
    fields: ['spec.environment[1].name'],
  }),
  post('a content too long', withSpec({ content: 'x'.repeat(300_000) }), { ...INVALID, fields: ['spec.content'] }),
  post('a template that is to run', unitBody('t@.service', { desiredState: 'launched' }), {
    ...INVALID,
    fields: ['spec.desiredState'],
    says: /cannot activate template/,
  }),
]

const METADATA: readonly Row[] = [
  post(
    'no name',
    { ...unit, metadata: {} },
    { ...INVALID, fields: ['metadata.name'], says: /name or generateName is required/ },
  ),
  post('no metadata', { ...unit, metadata: undefined }, { ...INVALID, fields: ['metadata.name'] }),
  post('a name without a type', unitBody('web'), {
    ...INVALID,
    fields: ['metadata.name'],
    says: /unit name must contain "\."/,
  }),
  post('a name of no unit type', unitBody('web.exe'), {
    ...INVALID,
    fields: ['metadata.name'],
    says: /invalid unit type: "exe"/,
  }),
  post('a name with a space', unitBody('a b.service'), { ...INVALID, fields: ['metadata.name'] }),
  post('a name with a slash', unitBody('../../etc/passwd.service'), { ...INVALID, fields: ['metadata.name'] }),
  post('a name of two dots', unitBody('..'), { ...INVALID, fields: ['metadata.name'] }),
  post('a name too long', unitBody(`${'x'.repeat(300)}.service`), { ...INVALID, fields: ['metadata.name'] }),
  post('a name with a zero byte', unitBody('a\u0000.service'), { ...INVALID, fields: ['metadata.name'] }),
  post('a name that is a number', unitBody(5 as never), { says: /metadata\.name must be a string/ }),
  post('a version in what is new', withMeta({ resourceVersion: '5' }), {
    says: /resourceVersion should not be set on objects to be created/,
  }),
  post('a namespace on what has none', withMeta({ namespace: 'default' }), { says: /namespace should not be set/ }),
  post('a label key that is none', withMeta({ labels: { 'a b': 'x' } }), { ...INVALID, fields: ['metadata.labels'] }),
  post('a label value that is none', withMeta({ labels: { a: 'web@1.service' } }), {
    ...INVALID,
    fields: ['metadata.labels'],
  }),
  post('a label that is a number', withMeta({ labels: { a: 1 } }), { ...INVALID, fields: ['metadata.labels.a'] }),
  post('labels that are a list', withMeta({ labels: ['a'] }), { ...INVALID, fields: ['metadata.labels'] }),
  post('annotations too long', withMeta({ annotations: { a: 'x'.repeat(300_000) } }), {
    ...INVALID,
    fields: ['metadata.annotations'],
  }),
  post('an owner without uid', withMeta({ ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x' }] }), {
    ...INVALID,
    fields: ['metadata.ownerReferences[0].uid'],
  }),
  post('a finalizer that is none', withMeta({ finalizers: ['a b'] }), { ...INVALID, fields: ['metadata.finalizers'] }),
  post('what is there already', unitBody('there.service'), {
    code: 409,
    reason: 'AlreadyExists',
    says: /^units\.flotilla\.dev "there\.service" already exists$/,
  }),
  post('what is being deleted', unitBody('going.service'), {
    code: 409,
    reason: 'AlreadyExists',
    says: /^object is being deleted: units\.flotilla\.dev "going\.service" already exists$/,
  }),
  post(
    'a namespace that is none',
    { metadata: { name: 'A.b' } },
    { ask: `POST ${NAMESPACES}`, ...INVALID, fields: ['metadata.name'] },
  ),
  post(
    'something in no namespace',
    { metadata: { name: 'a' } },
    { ask: 'POST /apis/coordination.k8s.io/v1/leases', ...NOT_ALLOWED },
  ),
  post(
    'something in a namespace that is not there',
    { metadata: { name: 'a' } },
    {
      ask: 'POST /apis/coordination.k8s.io/v1/namespaces/nowhere/leases',
      ...NOT_FOUND,
      says: /^namespaces "nowhere" not found$/,
    },
  ),
  post(
    'something for another namespace',
    { metadata: { name: 'a', namespace: 'other' } },
    { ask: `POST ${LEASES}`, says: /namespace of the provided object does not match/ },
  ),
]

const PATHS: readonly Row[] = [
  get('what is not there', `${UNITS}/none.service`, {
    ...NOT_FOUND,
    says: /^units\.flotilla\.dev "none\.service" not found$/,
  }),
  get('no such kind', '/apis/flotilla.dev/v1/boats', NOT_FOUND),
  get('no such version', '/apis/flotilla.dev/v9/units', NOT_FOUND),
  get('no such group', '/apis/nowhere.dev/v1/units', NOT_FOUND),
  get('no such path', '/nothing', { ...NOT_FOUND, says: /could not find the requested resource/ }),
  get('no such subresource', `${THERE}/eviction`, NOT_FOUND),
  get('a status where there is none', `${LEASES}/lease/status`, NOT_FOUND),
  get('a subresource of a collection', `${UNITS}//status`, NOT_FOUND),
  get('a slash at the end', `${UNITS}/`, NOT_FOUND),
  get('two slashes at the beginning', `/${UNITS}`, NOT_FOUND),
  get('two slashes inside', UNITS.replace('/v1', '//v1'), NOT_FOUND),
  get('a step up', '/apis/flotilla.dev/v1/../v1/units'),
  get('an encoded step up', `${UNITS}/%2e%2e`),
  get('an encoded slash', `${UNITS}/a%2fb`),
  get('an encoded zero byte', `${UNITS}/a%00.service`),
  get('double encoding', `${UNITS}/%252e%252e`),
  get('an encoding that is none', `${UNITS}/%zz`),
  get('an encoding of no text', `${UNITS}/%ff`),
  get('a name too long', `${UNITS}/${'x'.repeat(5_000)}`),
  get('a name inside a name', `${LEASES}/a/b/c/d`, NOT_FOUND),
  get('a namespaced object without its namespace', '/apis/coordination.k8s.io/v1/leases/lease', NOT_FOUND),
  get('a cluster’s object within a namespace', '/apis/flotilla.dev/v1/namespaces/default/units', NOT_FOUND),
  get('what every object has', '/apis/flotilla.dev/v1/__proto__', NOT_FOUND),
  get('a constructor', '/apis/flotilla.dev/v1/constructor', NOT_FOUND),
]

const METHODS: readonly Row[] = [
  ...[
    `POST ${THERE}`,
    `PATCH ${UNITS}`,
    `DELETE ${NAMESPACES}`,
    `DELETE ${THERE}/status`,
    `POST ${THERE}/status`,
    `DELETE ${WEB}/scale`,
    `GET ${NAMESPACES}/default/finalize`,
    `POST ${UNITS.replace('units', 'watch/units')}`,
    `DELETE ${UNITS.replace('units', 'watch/units')}/there.service`,
    `OPTIONS ${UNITS}`,
    `TRACE ${UNITS}`,
    `PROPFIND ${UNITS}`,
    'POST /version',
    'DELETE /apis',
    'PUT /healthz',
    'POST /openapi/v3',
  ].map((ask): Row => ({ title: ask, ask, ...(/^(POST|PATCH|PUT)/.test(ask) && { body: {} }), ...NOT_ALLOWED })),
  {
    title: 'PUT on a collection',
    ask: `PUT ${UNITS}`,
    body: unit,
    code: 400,
    reason: 'BadRequest',
    says: /name must be provided/,
  },
  get('an answer in a form nobody makes', UNITS, {
    headers: { accept: 'text/xml' },
    code: 406,
    reason: 'NotAcceptable',
  }),
]

const PARAMETERS: readonly Row[] = [
  ...[
    'labelSelector=a%3Db%3Dc',
    'labelSelector=a+in+(b',
    'labelSelector=%00',
    `labelSelector=${'x'.repeat(20_000)}`,
    'fieldSelector=spec.replicas%3D1',
    'fieldSelector=metadata.name',
    'limit=x',
    'limit=-1',
    'limit=1.5',
    'limit=99999999999',
    'continue=x',
    'resourceVersion=x',
    'resourceVersion=-1',
    'resourceVersion=99999999999999999999',
    'timeoutSeconds=x&watch=1',
    'timeoutSeconds=-1&watch=1',
    'continue=x&resourceVersion=5',
    `continue=${Buffer.from('{"v":"flotilla.dev/v1","rv":"999999999","start":"a"}').toString('base64url')}`,
  ].map((query) => get(query.slice(0, 60), `${UNITS}?${query}`)),
  get('an unsupported field', `${UNITS}?fieldSelector=spec.content%3Dx`, {
    says: /^field label not supported: spec\.content$/,
  }),
  ...[
    'resourceVersionMatch=Exact',
    'resourceVersion=5&resourceVersionMatch=Roughly',
    'resourceVersion=0&resourceVersionMatch=Exact',
    'watch=1&resourceVersion=5&resourceVersionMatch=Exact',
  ].map((query) => get(query, `${UNITS}?${query}`, { ...INVALID, fields: ['resourceVersionMatch'] })),
  ...[
    'sendInitialEvents=true&watch=1',
    'sendInitialEvents=true',
    'sendInitialEvents=true&watch=1&resourceVersionMatch=NotOlderThan',
  ].map((query) => get(query, `${UNITS}?${query}`, { ...INVALID, fields: ['sendInitialEvents'] })),
  get('a table of strange objects', `${UNITS}?includeObject=Some`, {
    ...INVALID,
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  }),
  get('a version of the future', `${UNITS}?resourceVersion=999999`, {
    code: 504,
    reason: 'Timeout',
    says: /^Too large resource version: 999999, current: \d+$/,
  }),
  post('a dry run of another kind', unit, { ask: `POST ${UNITS}?dryRun=Some`, ...INVALID, fields: ['dryRun'] }),
  post('a strange validation', unit, {
    ask: `POST ${UNITS}?fieldValidation=Maybe`,
    ...INVALID,
    fields: ['fieldValidation'],
  }),
]

const WRITES: readonly Row[] = [
  { title: 'PUT of nothing', ask: `PUT ${THERE}`, code: 400, reason: 'BadRequest', says: /json parse error/ },
  {
    title: 'PUT without a version',
    ask: `PUT ${THERE}`,
    body: unitBody('there.service'),
    ...INVALID,
    fields: ['metadata.resourceVersion'],
    says: /must be specified for an update/,
  },
  {
    title: 'PUT with a stale version',
    ask: `PUT ${THERE}`,
    body: unitBody('there.service', {}, { resourceVersion: '1' }),
    code: 409,
    reason: 'Conflict',
    says: /^Operation cannot be fulfilled on units\.flotilla\.dev "there\.service": the object has been modified; please apply your changes to the latest version and try again$/,
  },
  {
    title: 'PUT under another name',
    ask: `PUT ${THERE}`,
    body: unitBody('other.service', {}, { resourceVersion: '1' }),
    code: 400,
    reason: 'BadRequest',
    says: /name of the object \(other\.service\) does not match the name on the URL/,
  },
  {
    title: 'PUT of what is not there',
    ask: `PUT ${UNITS}/none.service`,
    body: unitBody('none.service', {}, { resourceVersion: '1' }),
    ...NOT_FOUND,
  },
  {
    title: 'PUT with a version that is a number',
    ask: `PUT ${THERE}`,
    body: unitBody('there.service', {}, { resourceVersion: 1 }),
    code: 400,
    reason: 'BadRequest',
  },
  patch(
    'a patch of no type',
    THERE,
    'application/json',
    {},
    { ...MEDIA, says: /application\/json-patch\+json, application\/merge-patch\+json/ },
  ),
  patch('a patch of what is not there', `${UNITS}/none.service`, MERGE, {}, NOT_FOUND),
  patch('a merge patch that is no JSON', THERE, MERGE, '{', { says: /json parse error/ }),
  patch('a merge patch that is a text', THERE, MERGE, '"x"', { says: /must be of type Unit/ }),
  patch('a merge patch to another kind', THERE, MERGE, { kind: 'Pod' }, {}),
  patch(
    'a merge patch to another name',
    THERE,
    MERGE,
    { metadata: { name: 'b.service' } },
    { says: /does not match the name on the URL/ },
  ),
  patch(
    'a merge patch to another uid',
    THERE,
    MERGE,
    { metadata: { uid: 'other' } },
    { code: 409, reason: 'Conflict' },
  ),
  patch(
    'a merge patch of a stale version',
    THERE,
    MERGE,
    { metadata: { resourceVersion: '1' } },
    { code: 409, reason: 'Conflict' },
  ),
  patch('a merge patch without the spec', THERE, MERGE, { spec: null }, { ...INVALID, fields: ['spec'] }),
  patch(
    'a merge patch of an unknown field under Strict',
    `${THERE}?fieldValidation=Strict`,
    MERGE,
    { spec: { bogus: 1 } },
    { says: /unknown field "spec\.bogus"/ },
  ),
  patch(
    'a merge patch of a field that may not change',
    THERE,
    MERGE,
    { spec: { unitName: 'other.service' } },
    { ...INVALID, fields: ['spec.unitName'], says: /immutable/ },
  ),
  patch('a strategic patch that is a list', `${NAMESPACES}/default`, STRATEGIC, [], { says: /must be an object/ }),
  patch(
    'a strategic patch of an unknown directive',
    `${NAMESPACES}/default`,
    STRATEGIC,
    { metadata: { $patch: 'explode' } },
    {},
  ),
  patch('a JSON patch that is an object', THERE, JSON_PATCH, {}, { says: /must be an array/ }),
  patch('a JSON patch of no operation', THERE, JSON_PATCH, [{ op: 'spam', path: '/' }], {}),
  patch('a JSON patch to where nothing is', THERE, JSON_PATCH, [{ op: 'remove', path: '/spec/none' }], {
    ...INVALID,
    says: /does not exist/,
  }),
  patch('a JSON patch whose test fails', THERE, JSON_PATCH, [{ op: 'test', path: '/spec', value: {} }], {
    ...INVALID,
    says: /testing path "\/spec" value failed/,
  }),
  patch('a JSON patch through __proto__', THERE, JSON_PATCH, [{ op: 'add', path: '/__proto__/polluted', value: 1 }], {
    says: /__proto__/,
  }),
  patch('a JSON patch that takes the object away', THERE, JSON_PATCH, [{ op: 'remove', path: '' }], INVALID),
  patch('a JSON patch to a list', THERE, JSON_PATCH, [{ op: 'replace', path: '', value: [] }], {}),
  patch(
    '10 001 operations',
    THERE,
    JSON_PATCH,
    Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: 1 })),
    { ...INVALID, says: /10000/ },
  ),
  patch(
    'a new finalizer on what goes',
    GOING,
    MERGE,
    { metadata: { finalizers: ['x/y', 'x/z'] } },
    {
      ...INVALID,
      fields: ['metadata.finalizers'],
      says: /no new finalizers can be added if the object is being deleted/,
    },
  ),
  patch(
    'a scale below zero',
    `${WEB}/scale`,
    MERGE,
    { spec: { replicas: -1 } },
    { ...INVALID, fields: ['spec.replicas'] },
  ),
  patch('a scale of words', `${WEB}/scale`, MERGE, { spec: { replicas: 'many' } }, {}),
  { title: 'PUT of a scale that is a text', ask: `PUT ${WEB}/scale`, body: '"x"', code: 400, reason: 'BadRequest' },
  {
    title: 'PUT of a scale of another kind',
    ask: `PUT ${WEB}/scale`,
    body: { kind: 'Unit', spec: { replicas: 1 } },
    code: 400,
    reason: 'BadRequest',
  },
  patch(
    'a status that is none',
    `${THERE}/status`,
    MERGE,
    { status: { currentState: 'flying' } },
    { ...INVALID, fields: ['status.currentState'] },
  ),
]

const DELETES: readonly Row[] = [
  { title: 'what is not there', ask: `DELETE ${UNITS}/none.service`, ...NOT_FOUND },
  {
    title: 'a namespace that must stay',
    ask: `DELETE ${NAMESPACES}/default`,
    code: 403,
    reason: 'Forbidden',
    says: /this namespace may not be deleted/,
  },
  ...(
    [
      ['options that are a list', [], 400, 'BadRequest'],
      ['options of another kind', { kind: 'Unit' }, 400, 'BadRequest'],
      ['options that are no JSON', '{', 400, 'BadRequest'],
      ['a strange policy', { propagationPolicy: 'Sideways' }, 422, 'Invalid'],
      ['a strange dry run', { dryRun: ['Some'] }, 422, 'Invalid'],
      ['a dry run that is a text', { dryRun: 'All' }, 400, 'BadRequest'],
      ['a grace period of words', { gracePeriodSeconds: 'soon' }, 400, 'BadRequest'],
      ['a grace period below zero', { gracePeriodSeconds: -5 }, 422, 'Invalid'],
      ['preconditions that are a list', { preconditions: [] }, 400, 'BadRequest'],
      ['a uid that is a number', { preconditions: { uid: 5 } }, 400, 'BadRequest'],
      ['another uid', { preconditions: { uid: 'other' } }, 409, 'Conflict'],
      ['another version', { preconditions: { resourceVersion: '1' } }, 409, 'Conflict'],
    ] as const
  ).map(([title, body, code, reason]): Row => ({ title, ask: `DELETE ${THERE}`, body, code, reason })),
]

export const BAD_REQUESTS = { BODIES, FIELDS, METADATA, PATHS, METHODS, PARAMETERS, WRITES, DELETES }
