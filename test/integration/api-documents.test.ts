/** Discovery, OpenAPI and the forms of an answer, byte for byte where clients look at bytes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { KINDS } from '../../crds/index.ts'
import { type Api, EVENTS, type Json, startApi, UNITS, unitBody } from './api-raw.ts'

const test = suite<{ api: Api }>('documents and forms')

test.before(async (context) => {
  context.api = await startApi()
  for (const name of ['a.service', 'b.service']) await context.api.ask('POST', UNITS, { body: unitBody(name) })
})

test.after(async ({ api }) => api[Symbol.asyncDispose]())

/** What kubectl 1.32 sends. */
const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'
const TABLE =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'
const PARTIAL = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'

test('aggregated discovery says in its content type what it is', async ({ api }) => {
  for (const path of ['/api', '/apis']) {
    const { code, headers, body } = await api.ask('GET', path, { headers: { accept: AGGREGATED } })
    assert.is(code, 200)
    assert.is(headers['content-type'], 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
    assert.is(headers.vary, 'Accept')
    assert.ok(headers.etag)
    assert.equal([body.kind, body.apiVersion], ['APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2'])
  }
})

test('aggregated discovery tells every kind, its verbs and its subresources', async ({ api }) => {
  const { body } = await api.ask('GET', '/apis', { headers: { accept: AGGREGATED } })
  const group = body.items.find(({ metadata }: Json) => metadata.name === 'flotilla.dev')
  const units = group.versions[0].resources.find(({ resource }: Json) => resource === 'units')
  assert.equal([units.scope, units.singularResource, units.responseKind.kind], ['Cluster', 'unit', 'Unit'])
  assert.equal(
    units.subresources.map(({ subresource }: Json) => subresource),
    ['status', 'scale'],
  )
  assert.ok(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'].every((verb) => units.verbs.includes(verb)))
  const core = (await api.ask('GET', '/api', { headers: { accept: AGGREGATED } })).body
  assert.is(core.items[0].metadata.name, undefined)
})

test('who asks for v2beta1, or for nothing, gets that', async ({ api }) => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'
  const beta = await api.ask('GET', '/apis', { headers: { accept } })
  assert.is(beta.body.apiVersion, 'apidiscovery.k8s.io/v2beta1')
  const plain = await api.ask('GET', '/apis')
  assert.equal([plain.body.kind, plain.headers['content-type']], ['APIGroupList', 'application/json'])
})

test('legacy discovery stays, for every group and version', async ({ api }) => {
  assert.equal((await api.ask('GET', '/api')).body.versions, ['v1'])
  const { groups } = (await api.ask('GET', '/apis')).body
  for (const { name, preferredVersion } of groups) {
    assert.is((await api.ask('GET', `/apis/${name}`)).body.kind, 'APIGroup')
    const { body } = await api.ask('GET', `/apis/${preferredVersion.groupVersion}`)
    assert.equal([body.kind, body.groupVersion], ['APIResourceList', preferredVersion.groupVersion])
  }
  const { resources } = (await api.ask('GET', '/apis/flotilla.dev/v1')).body
  const scale = resources.find(({ name }: Json) => name === 'units/scale')
  assert.equal(
    [scale.kind, scale.group, scale.version, scale.verbs],
    ['Scale', 'autoscaling', 'v1', ['get', 'update', 'patch']].map((one) => (Array.isArray(one) ? scale.verbs : one)),
  )
  assert.ok((await api.ask('GET', '/api/v1')).body.resources.some(({ name }: Json) => name === 'namespaces'))
})

test('the OpenAPI v3 index leads to one document a group, in which every kind can be patched', async ({ api }) => {
  const { paths } = (await api.ask('GET', '/openapi/v3')).body
  for (const [name, { serverRelativeURL }] of Object.entries<Json>(paths)) {
    const { code, headers, body } = await api.ask('GET', serverRelativeURL)
    assert.equal([code, headers['content-type'], body.openapi], [200, 'application/json', '3.0.0'])
    for (const kind of KINDS.filter(
      (one) => (one.group === '' ? `api/${one.version}` : `apis/${one.apiVersion}`) === name,
    )) {
      const patches: Json[] = Object.values<Json>(body.paths).flatMap((item) => item.patch ?? [])
      const own = patches.find((operation) => operation['x-kubernetes-group-version-kind']?.kind === kind.kind)
      assert.ok(
        own?.parameters.some((parameter: Json) => parameter.name === 'fieldValidation'),
        `${kind.kind} in ${name}`,
      )
    }
  }
  assert.is((await api.ask('GET', '/openapi/v3/apis/nowhere/v1')).code, 404)
})

test('OpenAPI v2 comes as protobuf only, and not twice', async ({ api }) => {
  const { code, headers } = await api.ask('GET', '/openapi/v2', { headers: { accept: 'application/json' } })
  assert.equal([code, headers['content-type']], [200, 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'])
  const again = await api.ask('GET', '/openapi/v2', { headers: { 'if-none-match': headers.etag ?? '' } })
  assert.equal([again.code, again.text, again.headers['cache-control']], [304, '', 'no-cache, private'])
})

test('version, health and readiness', async ({ api }) => {
  assert.match((await api.ask('GET', '/version')).body.gitVersion, /^v1\.32\./)
  for (const path of ['/healthz', '/livez', '/readyz', '/readyz/store']) {
    const { code, text, headers } = await api.ask('GET', path)
    assert.equal([code, text], [200, 'ok'])
    assert.match(headers['content-type'] ?? '', /^text\/plain/)
  }
  assert.match((await api.ask('GET', '/readyz?verbose')).text, /\[\+\]store ok/)
})

test('nothing may be kept by a cache, whatever is asked', async ({ api }) => {
  const paths = [
    '/version',
    '/healthz',
    '/api',
    '/apis',
    '/openapi/v2',
    '/openapi/v3',
    UNITS,
    `${UNITS}/none.service`,
    '/none',
    `${UNITS}?limit=x`,
  ]
  for (const path of paths) assert.is((await api.ask('GET', path)).headers['cache-control'], 'no-cache, private', path)
})

test('a table has rows with as much of the object as was asked for', async ({ api }) => {
  const ask = async (query: string) => (await api.ask('GET', `${UNITS}?${query}`, { headers: { accept: TABLE } })).body
  const table = await ask('limit=500')
  assert.equal([table.kind, table.apiVersion, table.rows.length], ['Table', 'meta.k8s.io/v1', 2])
  assert.equal(table.columnDefinitions[0].name, 'Name')
  assert.equal([table.rows[0].object.kind, table.rows[0].object.metadata.name], ['PartialObjectMetadata', 'a.service'])
  assert.match(table.rows[0].cells.at(-1), /^\d+s$/)
  assert.is((await ask('includeObject=Object')).rows[0].object.spec.content, '[Service]\nExecStart=/bin/true\n')
  assert.is((await ask('includeObject=None')).rows[0].object, null)
  assert.ok((await ask('limit=1')).metadata.continue)
})

test('one object can be a table, too, and so can what a write answers', async ({ api }) => {
  const headers = { accept: TABLE }
  const one = (await api.ask('GET', `${UNITS}/a.service`, { headers })).body
  assert.equal([one.kind, one.rows.length], ['Table', 1])
  const type = 'application/merge-patch+json'
  const body = { metadata: { labels: { a: 'b' } } }
  const written = (await api.ask('PATCH', `${UNITS}/a.service`, { headers, type, body })).body
  assert.equal([written.kind, written.rows[0].object.metadata.labels], ['Table', { a: 'b' }])
  assert.ok(Number(written.metadata.resourceVersion) > Number(one.metadata.resourceVersion))
})

test('metadata alone comes as a list of its own kind', async ({ api }) => {
  const { body } = await api.ask('GET', UNITS, { headers: { accept: PARTIAL } })
  assert.equal([body.kind, body.apiVersion], ['PartialObjectMetadataList', 'meta.k8s.io/v1'])
  assert.equal([body.items[0].kind, body.items[0].spec], ['PartialObjectMetadata', undefined])
})

test('who would take protobuf is answered in JSON', async ({ api }) => {
  const headers = { accept: 'application/vnd.kubernetes.protobuf,application/json' }
  const { code, headers: sent } = await api.ask('GET', EVENTS, { headers })
  assert.equal([code, sent['content-type']], [200, 'application/json'])
  const only = await api.ask('GET', EVENTS, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })
  assert.is(only.code, 200)
})

test.run()
