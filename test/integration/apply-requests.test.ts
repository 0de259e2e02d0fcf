/** Requests to apply, by raw HTTPS: what makes one, what is refused, and in which words. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Entry } from '../../api-server/registry/managed-fields/entries.ts'
import { type Api, type Ask, JSON_PATCH, type Json, LEASES, MERGE, startApi, UNITS } from './api-raw.ts'

const test = suite('requests to apply')

const APPLY = 'application/apply-patch+yaml'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

let api: Api

test.before(async () => {
  api = await startApi({ store: 'memory' })
})

test.after(async () => {
  await api?.[Symbol.asyncDispose]()
})

const configMap = (name: string, data: object = { a: '1' }, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})

const unit = (name: string, spec: object = {}) => ({
  apiVersion: 'flotilla.dev/v1',
  kind: 'Unit',
  metadata: { name },
  spec: { desiredState: 'inactive', content: '[Service]\nExecStart=/bin/true\n', ...spec },
})

const apply = (path: string, body: unknown, query = 'fieldManager=m1') =>
  api.ask('PATCH', `${path}?${query}`, { type: APPLY, body })

interface Refusal {
  readonly title: string
  readonly path?: string
  readonly query?: string
  readonly ask?: Ask
  readonly code: number
  readonly message: RegExp
  readonly cause?: readonly [reason: string, field: string]
}

const x = `${CONFIG_MAPS}/x`
const REFUSALS: readonly Refusal[] = [
  {
    title: 'nobody is named',
    query: '',
    code: 422,
    message: /^PatchOptions\.meta\.k8s\.io "" is invalid: fieldManager: Required value: is required for apply patch$/,
    cause: ['FieldValueRequired', 'fieldManager'],
  },
  {
    title: 'the name is too long',
    query: `fieldManager=${'x'.repeat(129)}`,
    code: 422,
    message: /may not be more than 128 bytes/,
    cause: ['FieldValueTooLong', 'fieldManager'],
  },
  { title: 'the name cannot be read', query: 'fieldManager=a%0Ab', code: 422, message: /printable/ },
  {
    title: 'another patch is forced',
    query: 'fieldManager=m1&force=false',
    ask: { type: MERGE, body: {} },
    code: 422,
    message: /force: Forbidden: may not be specified for non-apply patch$/,
    cause: ['FieldValueForbidden', 'force'],
  },
  {
    title: 'it brings managedFields',
    ask: { body: configMap('x', {}, { managedFields: [] }) },
    code: 400,
    message: /^metadata\.managedFields must be nil$/,
  },
  {
    title: 'the name is another',
    ask: { body: configMap('y') },
    code: 400,
    message: /does not match the name on the URL/,
  },
  { title: 'the kind is another', ask: { body: unit('x') }, code: 400, message: /does not match/ },
  { title: 'it is no object', ask: { body: [] }, code: 400, message: /must be an object/ },
  { title: 'it is no YAML', ask: { body: '{' }, code: 400, message: /yaml parse error/ },
  {
    title: 'a field is unknown',
    query: 'fieldManager=m1&fieldValidation=Strict',
    ask: { body: { ...configMap('x'), bogus: 1 } },
    code: 400,
    message: /strict decoding error: unknown field "bogus"/,
  },
  {
    title: 'it is another object',
    ask: { body: configMap('x', {}, { uid: 'u' }) },
    code: 409,
    message: /uid mismatch/,
  },
  {
    title: 'the namespace is missing',
    path: '/api/v1/namespaces/none/configmaps/x',
    code: 404,
    message: /^namespaces "none" not found$/,
  },
  {
    title: 'the status of nothing',
    path: `${UNITS}/none.service/status`,
    ask: { body: unit('none.service') },
    code: 404,
    message: /not found/,
  },
  {
    title: 'a key comes twice',
    path: `${UNITS}/x.service`,
    ask: { body: unit('x.service', { environment: [{ name: 'a' }, { name: 'a' }] }) },
    code: 400,
    message:
      /^failed to create typed patch object \(\/x\.service; flotilla\.dev\/v1, Kind=Unit\): \.spec\.environment: duplicate entries for key \[name="a"\]$/,
  },
  {
    title: 'a value has another type',
    path: `${UNITS}/x.service`,
    ask: { body: unit('x.service', { environment: { a: 1 } }) },
    code: 422,
    message: /spec\.environment/,
  },
]

for (const { title, path = x, query = 'fieldManager=m1', ask, code, message, cause } of REFUSALS)
  test(`refused: ${title}`, async () => {
    const answer = await api.ask('PATCH', `${path}?${query}`, { type: APPLY, body: configMap('x'), ...ask })
    assert.is(answer.code, code)
    assert.match(answer.body.message, message)
    if (cause) assert.equal([answer.body.details.causes[0].reason, answer.body.details.causes[0].field], cause)
    assert.is((await api.ask('GET', path.replace(/\/status$/, ''))).code, 404)
  })

test('201 for what is made, 200 for what is changed, in YAML as in JSON', async () => {
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {a: "1"}\n'
  assert.is((await apply(`${CONFIG_MAPS}/yaml`, yaml)).code, 201)
  const { code, body } = await apply(`${CONFIG_MAPS}/yaml`, configMap('yaml', { b: '2' }))
  assert.equal([code, body.data], [200, { b: '2' }])
})

test('a dry run makes nothing', async () => {
  const { code, body } = await apply(`${CONFIG_MAPS}/dry`, configMap('dry'), 'fieldManager=m1&dryRun=All')
  assert.equal([code, body.metadata.managedFields[0].manager], [201, 'm1'])
  assert.is((await api.ask('GET', `${CONFIG_MAPS}/dry`)).code, 404)
})

test('a version that is no longer the current one is a conflict', async () => {
  const { body } = await apply(`${CONFIG_MAPS}/versioned`, configMap('versioned'))
  const meant = configMap('versioned', { a: '2' }, { resourceVersion: body.metadata.resourceVersion })
  assert.is((await apply(`${CONFIG_MAPS}/versioned`, meant)).code, 200)
  const late = await apply(`${CONFIG_MAPS}/versioned`, { ...meant, data: { a: '3' } })
  assert.equal([late.code, late.body.reason], [409, 'Conflict'])
})

test('many who make the same object at once all succeed, each with its part', async () => {
  const managers = Array.from({ length: 12 }, (_, n) => `m${n}`)
  const answers = await Promise.all(
    managers.map((name) => apply(`${CONFIG_MAPS}/crowd`, configMap('crowd', { [name]: 'x' }), `fieldManager=${name}`)),
  )
  assert.equal(answers.filter(({ code }) => code === 201).length, 1)
  assert.ok(answers.every(({ code }) => code < 300))
  const { body } = await api.ask('GET', `${CONFIG_MAPS}/crowd`)
  assert.equal(Object.keys(body.data).toSorted(), managers.toSorted())
  assert.equal(body.metadata.managedFields.length, managers.length)
})

const entries = ({ metadata }: Json) =>
  (metadata.managedFields as Entry[]).map(({ manager, operation, subresource = '' }) => [
    manager,
    operation,
    subresource,
  ])

test('who does not name itself manages under its User-Agent', async () => {
  const headers = { 'user-agent': 'my-tool/1.2 (linux)' }
  const { body } = await api.ask('POST', CONFIG_MAPS, { body: configMap('agent'), headers })
  assert.equal(entries(body), [['my-tool', 'Update', '']])
  const patched = await api.ask('PATCH', `${CONFIG_MAPS}/agent?fieldManager=named`, {
    type: JSON_PATCH,
    body: [{ op: 'add', path: '/data/b', value: '2' }],
    headers,
  })
  assert.equal(
    entries(patched.body)
      .map(([manager]) => manager)
      .toSorted(),
    ['my-tool', 'named'],
  )
})

test('scale is applied as its own subresource', async () => {
  await apply(`${UNITS}/s@.service`, unit('s@.service', { replicas: 0 }))
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 's@.service' }, spec: { replicas: 2 } }
  const refused = await apply(`${UNITS}/s@.service/scale`, scale, 'fieldManager=scaler')
  assert.match(refused.body.message, 'conflict with "m1": .spec.replicas')
  const forced = await apply(`${UNITS}/s@.service/scale`, scale, 'fieldManager=scaler&force=true')
  assert.equal([forced.code, forced.body.spec.replicas], [200, 2])
  const { body } = await api.ask('GET', `${UNITS}/s@.service`)
  assert.equal(
    entries(body).find(([manager]) => manager === 'scaler'),
    ['scaler', 'Apply', 'scale'],
  )
})

test('a lease that is renewed a hundred times has one entry, and its list does not grow', async () => {
  const lease = (renewTime: string) => ({ metadata: { name: 'beat' }, spec: { holderIdentity: 'm', renewTime } })
  const { body: made } = await api.ask('POST', LEASES, { body: lease('2026-01-01T00:00:00.000000Z') })
  let last = made
  for (let n = 1; n <= 100; n++) {
    const body = lease(`2026-01-01T00:00:00.000${String(n).padStart(3, '0')}Z`)
    last = (await api.ask('PATCH', `${LEASES}/beat`, { type: MERGE, body })).body
  }
  const fields = ({ metadata }: Json) => metadata.managedFields.map(({ fieldsV1 }: Entry) => fieldsV1)
  assert.equal(fields(last), fields(made))
})

test.run()
