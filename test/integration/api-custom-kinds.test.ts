/** Users' own kinds, request by request: how they come and change, and what is kept meanwhile. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'
import { type Api, type Json, MERGE, NAMESPACES, startApi, watchOf } from './api-raw.ts'
import { collection, cronTab, cronTabs, customKinds, DEFINITIONS, definitionAt, SOON_MS } from './custom-kinds.ts'

const test = suite('users own kinds')
let api: Api
const kinds = customKinds(() => api)

test.before(async () => {
  api = await startApi()
})
test.after(async () => api[Symbol.asyncDispose]())

test('a kind is served before its definition says Established, and is gone from discovery with it', async () => {
  const group = 'life.example.com'
  const start = performance.now()
  await kinds.made(DEFINITIONS, cronTabs(group))
  const established = async () => (await kinds.conditions(definitionAt(group))).Established?.status === 'True'
  await kinds.served('established', established)
  assert.is((await api.ask('GET', collection(group))).code, 200)
  const tookMs = performance.now() - start
  assert.ok(tookMs < 1_000, `served after ${tookMs} ms`)
  const { status, metadata } = (await api.ask('GET', definitionAt(group))).body
  assert.equal(status.storedVersions, ['v1'])
  assert.is(status.acceptedNames.plural, 'crontabs')
  assert.equal(metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
  const { body } = await api.ask('GET', `/apis/${group}`)
  assert.equal(
    body.versions.map((one: Json) => one.version),
    ['v1', 'v1beta1'],
  )
  await api.ask('DELETE', definitionAt(group))
  await kinds.served('definition gone', kinds.answers(definitionAt(group), 404))
  await kinds.served('kind gone', kinds.answers(collection(group), 404))
  assert.is((await api.ask('GET', `/apis/${group}`)).code, 404)
  assert.not.match((await api.ask('GET', '/openapi/v3')).text, group)
})

test('an object is stored once, and shown in every version with its defaults', async () => {
  const group = 'versions.example.com'
  await kinds.define(group)
  const object = await kinds.made(collection(group, 'v1beta1'), {
    ...cronTab(group, 'a'),
    apiVersion: `${group}/v1beta1`,
  })
  assert.is(object.apiVersion, `${group}/v1beta1`)
  assert.is(object.spec.image, 'busybox')
  const { body } = await api.ask('GET', `${collection(group)}/a`)
  assert.equal([body.apiVersion, body.metadata.uid, body.metadata.generation], [`${group}/v1`, object.metadata.uid, 1])
  const dry = await api.ask('POST', `${collection(group, 'v1beta1')}?dryRun=All`, {
    body: { ...cronTab(group, 'b'), apiVersion: `${group}/v1beta1` },
  })
  assert.is(dry.body.apiVersion, `${group}/v1beta1`)
})

test('a watch goes on while the definition changes, and the change counts at once', async () => {
  const group = 'change.example.com'
  await kinds.define(group)
  await kinds.made(collection(group), cronTab(group, 'a', { note: 'unknown' }))
  const watch = await watchOf(api, `${collection(group)}?watch=true`)
  await until(() => watch.told.length === 1, { what: 'ADDED a' })
  const definition = (await api.ask('GET', definitionAt(group))).body
  for (const version of definition.spec.versions)
    version.schema.openAPIV3Schema.properties.spec.properties.note = { type: 'string', default: 'later' }
  assert.is((await api.ask('PUT', definitionAt(group), { body: definition })).code, 200)
  const note = async () => (await api.ask('GET', `${collection(group)}/a`)).body.spec.note === 'later'
  await kinds.served('the default that came later', note)
  await api.ask('PATCH', `${collection(group)}/a`, { type: MERGE, body: { spec: { note: 'kept' } } })
  await until(() => watch.told.length === 2, { what: 'MODIFIED a' })
  assert.equal([watch.told[1], watch.events[1]?.object.spec.note], ['MODIFIED a', 'kept'])
  const resumed = await watchOf(api, `${collection(group)}?watch=true&resourceVersion=1`)
  await until(() => resumed.told.length === 2, { what: 'the history of before and after the change' })
  watch.close()
  resumed.close()
})

test('no change is lost or doubled for who watches while definition and objects change together', async () => {
  const group = 'busy.example.com'
  await kinds.define(group)
  await kinds.made(collection(group), cronTab(group, 'a'))
  const watch = await watchOf(api, `${collection(group)}?watch=true`)
  const rename = (round: number) =>
    api.ask('PATCH', definitionAt(group), {
      type: MERGE,
      body: { spec: { names: { categories: [`round-${round}`] } } },
    })
  const ROUNDS = 30
  for (let round = 1; round <= ROUNDS; round++) {
    const image = { spec: { image: `image-${round}` } }
    const both = [api.ask('PATCH', `${collection(group)}/a`, { type: MERGE, body: image }), rename(round)]
    for (const { code, text } of await Promise.all(both)) assert.is(code, 200, text)
  }
  await until(() => watch.told.length > ROUNDS, { what: 'every change' })
  const images = watch.events.slice(1).map(({ object }) => object.spec.image)
  assert.equal(
    images,
    Array.from({ length: ROUNDS }, (_, round) => `image-${round + 1}`),
  )
  watch.close()
})

test('whoever uses a version that is deprecated is warned', async () => {
  const group = 'deprecated.example.com'
  const definition = cronTabs(group)
  definition.spec.versions[1].deprecated = true
  await kinds.made(DEFINITIONS, definition)
  const old = collection(group, 'v1beta1')
  await kinds.served('served', kinds.answers(old, 200))
  const warned = `299 - "${group}/v1beta1 CronTab is deprecated"`
  assert.is((await api.ask('GET', old)).headers.warning, warned)
  assert.is((await api.ask('GET', collection(group))).headers.warning, undefined)
  const body = { ...cronTab(group, 'a', { bogus: 1 }), apiVersion: `${group}/v1beta1` }
  const { headers } = await api.ask('POST', old, { body })
  assert.is(headers.warning, `${warned}, 299 - "unknown field \\"spec.bogus\\""`)
})

test('a watch ends cleanly where objects can be selected by other fields than when it began', async () => {
  const group = 'fields.example.com'
  await kinds.define(group)
  await kinds.made(collection(group), cronTab(group, 'a', { color: 'red' }))
  const watch = await watchOf(api, `${collection(group)}?watch=true&fieldSelector=spec.color%3Dred`)
  await until(() => watch.told.length === 1, { what: 'ADDED a' })
  const definition = (await api.ask('GET', definitionAt(group))).body
  definition.spec.versions[0].selectableFields = [{ jsonPath: '.spec.image' }]
  await api.ask('PUT', definitionAt(group), { body: definition })
  assert.is(await within(SOON_MS, watch.ended, 'the end of the watch'), 'clean')
  assert.is((await api.ask('GET', `${collection(group)}?fieldSelector=spec.color%3Dred`)).code, 400)
  const { body } = await api.ask('GET', `${collection(group)}?fieldSelector=spec.image%3Dbusybox`)
  assert.is(body.items.length, 1)
})

test('a version that is no longer served ends its watches; the other stays', async () => {
  const group = 'unserved.example.com'
  await kinds.define(group)
  const [old, current] = [
    await watchOf(api, `${collection(group, 'v1beta1')}?watch=true`),
    await watchOf(api, `${collection(group)}?watch=true`),
  ]
  const definition = (await api.ask('GET', definitionAt(group))).body
  definition.spec.versions[1].served = false
  await api.ask('PUT', definitionAt(group), { body: definition })
  assert.is(await within(SOON_MS, old.ended, 'the end of the old watch'), 'clean')
  await kinds.served('v1beta1 gone', kinds.answers(collection(group, 'v1beta1'), 404))
  await kinds.made(collection(group), cronTab(group, 'a'))
  await until(() => current.told.length === 1, { what: 'ADDED a on the version that stayed' })
  current.close()
  definition.spec.versions.pop()
  const stored = { ...definition.spec.versions[0], name: 'v2' }
  definition.spec.versions = [stored]
  const { body } = await api.ask('PUT', definitionAt(group), {
    body: {
      ...definition,
      metadata: {
        name: definition.metadata.name,
        resourceVersion: (await api.ask('GET', definitionAt(group))).body.metadata.resourceVersion,
      },
    },
  })
  assert.match(body.message, /status\.storedVersions\[0\]: Invalid value: "v1": must appear in spec\.versions/)
})

test('a namespace takes objects of users own kinds along', async () => {
  const group = 'drain.example.com'
  await kinds.define(group)
  await kinds.made(NAMESPACES, { metadata: { name: 'drained' } })
  const path = collection(group, 'v1', 'drained')
  await kinds.made(path, cronTab(group, 'a', {}, { namespace: 'drained' }))
  await api.ask('DELETE', `${NAMESPACES}/drained`)
  await until(kinds.answers(`${NAMESPACES}/drained`, 404), { what: 'the namespace gone' })
  assert.equal((await api.ask('GET', `/apis/${group}/v1/crontabs`)).body.items, [])
})

test('a restart serves users own kinds at once, with their history', async () => {
  const group = 'restart.example.com'
  const dataDir = tempDir()
  const before = api
  api = await startApi({ store: 'embedded', dataDir })
  try {
    await kinds.define(group)
    const { metadata } = await kinds.made(collection(group), cronTab(group, 'a'))
    await api.ask('PATCH', `${collection(group)}/a`, { type: MERGE, body: { spec: { color: 'red' } } })
    await api[Symbol.asyncDispose]()
    api = await startApi({ store: 'embedded', dataDir })
    assert.is((await api.ask('GET', `${collection(group)}/a`)).body.spec.color, 'red')
    const watch = await watchOf(api, `${collection(group)}?watch=true&resourceVersion=${metadata.resourceVersion}`)
    await until(() => watch.told.length === 1, { what: 'what came after' })
    assert.equal(watch.told, ['MODIFIED a'])
    watch.close()
  } finally {
    await api[Symbol.asyncDispose]()
    api = before
  }
})

test.run()
