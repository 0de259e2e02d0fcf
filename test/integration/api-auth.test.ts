import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Answer, type Api, bindRole, type Caller, MERGE, RBAC, startApi, UNITS } from './api-raw.ts'

const test = suite('rights and reviews, byte by byte')

const AUTHORIZATION = '/apis/authorization.k8s.io/v1'
const AUTHENTICATION = '/apis/authentication.k8s.io/v1'

let api: Api
let alice: Caller

test.before(async () => {
  api = await startApi()
  alice = api.caller(await api.server.pki.issueClient({ commonName: 'alice', organizations: ['devs'] }))
})
test.after(async () => api[Symbol.asyncDispose]())

const post = (path: string, body: unknown, rest: object = {}): Promise<Answer> =>
  api.ask('POST', path, { body, ...rest })

const bind = (name: string, role: string, user: string) => bindRole(api, name, role, user)

test('reviews: what is wrong with a question is answered in detail', async () => {
  const spec = { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } }
  const rows: readonly [path: string, body: unknown, code: number, message: RegExp][] = [
    [
      `${AUTHORIZATION}/selfsubjectaccessreviews`,
      {},
      422,
      /exactly one of nonResourceAttributes or resourceAttributes/,
    ],
    [
      `${AUTHORIZATION}/selfsubjectaccessreviews`,
      { spec: { ...spec, nonResourceAttributes: { path: '/' } } },
      422,
      /cannot be specified in combination/,
    ],
    [
      `${AUTHORIZATION}/selfsubjectaccessreviews`,
      { spec: { resourceAttributes: { verb: 7 } } },
      400,
      /must be of type SelfSubjectAccessReview/,
    ],
    [
      `${AUTHORIZATION}/selfsubjectaccessreviews`,
      { kind: 'Pod', apiVersion: 'v1' },
      400,
      /does not match the expected API version/,
    ],
    [`${AUTHORIZATION}/selfsubjectaccessreviews`, '{', 400, /json parse error/],
    [`${AUTHORIZATION}/subjectaccessreviews`, { spec }, 422, /at least one of user or group must be specified/],
    [
      `${AUTHORIZATION}/namespaces/other/localsubjectaccessreviews`,
      { spec: { ...spec, user: 'a' } },
      422,
      /must match metadata\.namespace/,
    ],
    [`${AUTHORIZATION}/selfsubjectrulesreviews`, { spec: {} }, 400, /no namespace on request/],
    [`${AUTHORIZATION}/localsubjectaccessreviews`, { spec: { ...spec, user: 'a' } }, 404, /could not find/],
    [`${AUTHORIZATION}/nothings`, {}, 404, /could not find/],
  ]
  for (const [path, body, code, message] of rows) {
    const answer = await post(path, body)
    assert.is(answer.code, code, `${path} ${JSON.stringify(body)}`)
    assert.match(answer.body.message, message)
  }
  assert.is((await api.ask('GET', `${AUTHORIZATION}/subjectaccessreviews`)).code, 405)
})

test('reviews answer with the question, a reason, and what upstream calls them', async () => {
  const spec = { resourceAttributes: { verb: 'list', resource: 'pods', namespace: 'default' }, user: 'carol' }
  const no = await post(`${AUTHORIZATION}/subjectaccessreviews`, { spec })
  assert.equal([no.code, no.body.status], [201, { allowed: false }])
  assert.equal(no.body.spec, spec)
  await bind('carol-views', 'view', 'carol')
  const { body } = await post(`${AUTHORIZATION}/namespaces/default/localsubjectaccessreviews`, { spec })
  const reason = 'RBAC: allowed by ClusterRoleBinding "carol-views" of ClusterRole "view" to User "carol"'
  assert.equal(body.status, { allowed: true, reason })
  assert.equal([body.kind, body.apiVersion], ['LocalSubjectAccessReview', 'authorization.k8s.io/v1'])
})

test('only who may ask about others does; about oneself everybody may', async () => {
  const spec = { resourceAttributes: { verb: 'get', resource: 'pods' } }
  const other = await post(`${AUTHORIZATION}/subjectaccessreviews`, { spec: { ...spec, user: 'x' } }, { as: alice })
  assert.is(other.code, 403)
  assert.match(
    other.body.message,
    /^subjectaccessreviews\.authorization\.k8s\.io is forbidden: User "alice" cannot create/,
  )
  assert.is((await post(`${AUTHORIZATION}/selfsubjectaccessreviews`, { spec }, { as: alice })).code, 201)
  assert.is((await post(`${AUTHORIZATION}/selfsubjectaccessreviews`, { spec }, { as: api.anonymous })).code, 401)
})

test('bearer tokens are not known, and a token review says so', async () => {
  const { body } = await post(`${AUTHENTICATION}/tokenreviews`, { spec: { token: 'abc' } })
  assert.is(body.status.authenticated, false)
  assert.match(body.status.error, /client certificates/)
})

test('impersonation: each header takes its right, and nothing of the real user is left', async () => {
  const whoami = (headers: Record<string, string>, as?: Caller) =>
    post(`${AUTHENTICATION}/selfsubjectreviews`, {}, { headers, ...(as && { as }) })
  const full = {
    'Impersonate-User': 'bob',
    'Impersonate-Group': 'ops',
    'Impersonate-Uid': 'u1',
    'Impersonate-Extra-Acme.com%2Fproject': 'p,1',
  }
  const { body } = await whoami(full)
  assert.equal(body.status.userInfo, {
    username: 'bob',
    uid: 'u1',
    groups: ['ops', 'system:authenticated'],
    extra: { 'acme.com/project': ['p,1'] },
  })
  const robot = await whoami({ 'Impersonate-User': 'system:serviceaccount:default:robot' })
  assert.equal(robot.body.status.userInfo.groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:default',
    'system:authenticated',
  ])
  assert.is((await whoami({ 'Impersonate-Group': 'ops' })).code, 400)
  const refusals: readonly [Record<string, string>, string][] = [
    [
      { 'Impersonate-User': 'bob' },
      'users "bob" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope',
    ],
    [
      { 'Impersonate-User': 'system:serviceaccount:default:robot' },
      'serviceaccounts "robot" is forbidden: User "alice" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"',
    ],
  ]
  for (const [headers, message] of refusals) {
    const answer = await whoami(headers, alice)
    assert.equal([answer.code, answer.body.message], [403, message])
  }
  assert.is((await whoami({ 'Impersonate-User': 'bob' }, api.anonymous)).code, 401)
})

test('who acts as somebody without rights has none', async () => {
  const headers = { 'Impersonate-User': 'nobody' }
  assert.is((await api.ask('GET', UNITS, { headers })).code, 403)
  assert.is((await api.ask('GET', '/metrics', { headers })).code, 403)
})

test('a rule that is taken back is refused with the next request', async () => {
  const path = `${RBAC}/clusterroles/look`
  await post(`${RBAC}/clusterroles`, {
    metadata: { name: 'look' },
    rules: [{ verbs: ['list'], apiGroups: ['flotilla.dev'], resources: ['units'] }],
  })
  await bind('alice-looks', 'look', 'alice')
  for (let round = 0; round < 20; round++) {
    assert.is((await api.ask('GET', UNITS, { as: alice })).code, 200)
    const rules = (verb: string) => ({ rules: [{ verbs: [verb], apiGroups: ['flotilla.dev'], resources: ['units'] }] })
    await api.ask('PATCH', path, { body: rules('get'), type: MERGE })
    assert.is((await api.ask('GET', UNITS, { as: alice })).code, 403)
    await api.ask('PATCH', path, { body: rules('list'), type: MERGE })
  }
})

test('server-side apply of a role is guarded like any other write of it', async () => {
  await post(`${RBAC}/clusterroles`, {
    metadata: { name: 'role-writer' },
    rules: [{ verbs: ['*'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] }],
  })
  await bind('alice-writes-roles', 'role-writer', 'alice')
  const body = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'r' },
    rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }],
  }
  const path = `${RBAC}/namespaces/default/roles/r?fieldManager=t`
  const spared = await api.ask('PATCH', path, { body, type: 'application/apply-patch+yaml', as: alice })
  assert.is(spared.code, 201) // `*` on roles is `escalate`, too
  await api.ask('PATCH', `${RBAC}/clusterroles/role-writer`, {
    body: { rules: [{ verbs: ['create', 'patch'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] }] },
    type: MERGE,
  })
  const more = { ...body, metadata: { name: 's' } }
  const refused = await api.ask('PATCH', path.replace('/r?', '/s?'), {
    body: more,
    type: 'application/apply-patch+yaml',
    as: alice,
  })
  assert.equal([refused.code, /not currently held/.test(refused.body.message)], [403, true])
})

test('aggregation rules take all rights there are', async () => {
  const rules = [{ verbs: ['*'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] }]
  const role = {
    metadata: { name: 'gatherer' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
  }
  await post(`${RBAC}/clusterroles`, { metadata: { name: 'cr' }, rules: [{ ...rules[0], verbs: ['create'] }] })
  await bind('dora', 'cr', 'dora')
  const headers = { 'Impersonate-User': 'dora' }
  const { code, body } = await post(`${RBAC}/clusterroles`, role, { headers })
  assert.equal(
    [code, body.message],
    [
      403,
      'clusterroles.rbac.authorization.k8s.io "gatherer" is forbidden: must have cluster-admin privileges to use the aggregationRule',
    ],
  )
})

test('a unit names only Secrets that its writer may read', async () => {
  const rules = [{ verbs: ['*'], apiGroups: ['flotilla.dev'], resources: ['units'] }]
  await post(`${RBAC}/clusterroles`, { metadata: { name: 'unit-writer' }, rules })
  await bind('ellen', 'unit-writer', 'ellen')
  const headers = { 'Impersonate-User': 'ellen' }
  const credentials = [{ name: 'key', secretKeyRef: { name: 'db', key: 'password' } }]
  const content = '[Service]\nExecStart=/bin/true\n'
  const create = (name: string, spec: object, rest: object = { headers }) =>
    post(UNITS, { metadata: { name }, spec: { content, desiredState: 'inactive', ...spec } }, rest)
  const refused = await create('mine.service', { credentials })
  assert.equal(
    [refused.code, refused.body.message],
    [
      403,
      'units.flotilla.dev "mine.service" is forbidden: a unit may name only Secrets that its writer may read: secrets "db" is forbidden: User "ellen" cannot get resource "secrets" in API group "" in the namespace "default"',
    ],
  )
  assert.is((await create('mine.service', {})).code, 201)
  assert.is((await create('theirs.service', { credentials }, {})).code, 201)
  const patch = (name: string, spec: object) =>
    api.ask('PATCH', `${UNITS}/${name}`, { body: { spec }, type: MERGE, headers })
  assert.is((await patch('mine.service', { credentials })).code, 403)
  assert.is((await patch('theirs.service', { content: `${content}ExecStartPre=/bin/cat x\n` })).code, 403)
  assert.is((await patch('theirs.service', { desiredState: 'loaded' })).code, 200)
  await bind('ellen-views', 'edit', 'ellen')
  assert.is((await patch('mine.service', { credentials })).code, 200)
})

test.run()
