/** Users' own kinds, request by request: how they come, change and go, and what is kept meanwhile. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { prefixRange } from '../../api-server/store/store.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'
import { type Api, type Json, MERGE, NAMESPACES, startApi, UNITS, unitBody, watchOf } from './api-raw.ts'
import { collection, cronTab, cronTabs, DEFINITIONS } from './crontab.ts'

const test = suite('users own kinds')
let api: Api

test.before(async () => {
  api = await startApi()
})
test.after(async () => api[Symbol.asyncDispose]())

/** As fast as anybody may rely on: a second, on a busy machine. */
const SOON_MS = 1_000

async function made(path: string, body: Json, code = 201): Promise<Json> {
  const answer = await api.ask('POST', path, { body })
  assert.is(answer.code, code, answer.text)
  return answer.body
}

const served = (what: string, condition: () => Promise<boolean>) =>
  until(condition, { timeoutMs: SOON_MS, what: `${what}, within ${SOON_MS} ms` })

const answers = (path: string, code: number) => async () => (await api.ask('GET', path)).code === code

async function define(group: string, names: object = {}): Promise<void> {
  await made(DEFINITIONS, cronTabs(group, names))
  await served(`crontabs.${group} served`, answers(collection(group), 200))
}

const definitionAt = (group: string) => `${DEFINITIONS}/crontabs.${group}`

async function conditions(path: string): Promise<Record<string, Json>> {
  const { body } = await api.ask('GET', path)
  return Object.fromEntries((body.status?.conditions ?? []).map((one: Json) => [one.type, one]))
}

test('a kind is served before its definition says Established, and is gone from discovery with it', async () => {
  const group = 'life.example.com'
  const start = performance.now()
  await made(DEFINITIONS, cronTabs(group))
  const established = async () => (await conditions(definitionAt(group))).Established?.status === 'True'
  await served('established', established)
  assert.is((await api.ask('GET', collection(group))).code, 200)
  const tookMs = performance.now() - start
  assert.ok(tookMs < SOON_MS, `served after ${tookMs} ms`)
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
  await served('definition gone', answers(definitionAt(group), 404))
  await served('kind gone', answers(collection(group), 404))
  assert.is((await api.ask('GET', `/apis/${group}`)).code, 404)
  assert.not.match((await api.ask('GET', '/openapi/v3')).text, group)
})

test('an object is stored once, and shown in every version with its defaults', async () => {
  const group = 'versions.example.com'
  await define(group)
  const object = await made(collection(group, 'v1beta1'), { ...cronTab(group, 'a'), apiVersion: `${group}/v1beta1` })
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
  await define(group)
  await made(collection(group), cronTab(group, 'a', { note: 'unknown' }))
  const watch = await watchOf(api, `${collection(group)}?watch=true`)
  await until(() => watch.told.length === 1, { what: 'ADDED a' })
  const definition = (await api.ask('GET', definitionAt(group))).body
  for (const version of definition.spec.versions)
    version.schema.openAPIV3Schema.properties.spec.properties.note = { type: 'string', default: 'later' }
  assert.is((await api.ask('PUT', definitionAt(group), { body: definition })).code, 200)
  const note = async () => (await api.ask('GET', `${collection(group)}/a`)).body.spec.note === 'later'
  await served('the default that came later', note)
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
  await define(group)
  await made(collection(group), cronTab(group, 'a'))
  const watch = await watchOf(api, `${collection(group)}?watch=true`)
  const rename = (round: number) =>
    api.ask('PATCH', definitionAt(group), {
      type: MERGE,
      body: { spec: { names: { categories: [`round-${round}`] } } },
    })
  const ROUNDS = 60
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

test('a version that is no longer served ends its watches; the other stays', async () => {
  const group = 'unserved.example.com'
  await define(group)
  const [old, current] = [
    await watchOf(api, `${collection(group, 'v1beta1')}?watch=true`),
    await watchOf(api, `${collection(group)}?watch=true`),
  ]
  const definition = (await api.ask('GET', definitionAt(group))).body
  definition.spec.versions[1].served = false
  await api.ask('PUT', definitionAt(group), { body: definition })
  assert.is(await within(SOON_MS, old.ended, 'the end of the old watch'), 'clean')
  await served('v1beta1 gone', answers(collection(group, 'v1beta1'), 404))
  await made(collection(group), cronTab(group, 'a'))
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

test('a deleted definition takes its objects along, each as its finalizers let it, and takes nothing new', async () => {
  const group = 'end.example.com'
  await define(group)
  await made(collection(group), cronTab(group, 'free'))
  await made(collection(group), cronTab(group, 'held', {}, { finalizers: ['example.com/hold'] }))
  const watch = await watchOf(api, `${collection(group)}?watch=true`)
  await api.ask('DELETE', definitionAt(group))
  await served('free deleted', answers(`${collection(group)}/free`, 404))
  assert.is((await conditions(definitionAt(group))).Terminating?.status, 'True')
  const refused = await api.ask('POST', collection(group), { body: cronTab(group, 'late') })
  assert.is(refused.code, 405)
  assert.match(refused.body.message, /create not allowed while custom resource definition is terminating/)
  await api.ask('PATCH', `${collection(group)}/held`, { type: MERGE, body: { metadata: { finalizers: null } } })
  await served('definition gone', answers(definitionAt(group), 404))
  assert.is(await within(SOON_MS, watch.ended, 'the end of the watch'), 'clean')
  assert.equal(
    watch.told.filter((line) => line.startsWith('DELETED')),
    ['DELETED free', 'DELETED held'],
  )
  await define(group)
  assert.equal((await api.ask('GET', collection(group))).body.items, [])
})

test('objects that are made while their definition is deleted are refused, or deleted with it', async () => {
  const group = 'race.example.com'
  for (let round = 0; round < 5; round++) {
    await define(group)
    const create = (i: number) => api.ask('POST', collection(group), { body: cronTab(group, `a${i}`) })
    const some = Array.from({ length: 10 }, (_, i) => create(i))
    const deleted = api.ask('DELETE', definitionAt(group))
    const more = Array.from({ length: 40 }, (_, i) => create(10 + i))
    const codes = (await Promise.all([...some, deleted, ...more])).map(({ code }) => code)
    assert.equal(
      codes.filter((code) => ![200, 201, 404, 405].includes(code)),
      [],
    )
    await served('definition gone', answers(definitionAt(group), 404))
    const { items } = await api.server.registry.store.list(prefixRange(`/r/${group}/`))
    assert.equal(
      items.map(({ key }) => key),
      [],
    )
  }
})

test('names that somebody else has are refused in the status, until they are free', async () => {
  const group = 'names.example.com'
  await define(group)
  const other = cronTabs(group, { plural: 'clocks', singular: 'clock', shortNames: ['cl'] })
  other.metadata.name = `clocks.${group}`
  await made(DEFINITIONS, other)
  const path = `${DEFINITIONS}/clocks.${group}`
  await served('a verdict', async () => (await conditions(path)).NamesAccepted !== undefined)
  const { NamesAccepted, Established } = await conditions(path)
  assert.equal([NamesAccepted.status, NamesAccepted.reason], ['False', 'KindConflict'])
  assert.is(Established.status, 'False')
  await api.ask('DELETE', definitionAt(group))
  await served('clocks established', async () => (await conditions(path)).Established?.status === 'True')
  assert.is((await api.ask('GET', `/apis/${group}/v1/clocks`)).code, 200)
})

test('our own definitions do no harm on our own server, and say that their kinds are built in', async () => {
  await made(UNITS, unitBody('kept.service'))
  const folder = join(import.meta.dirname, '../../manifests/crds')
  for (const file of readdirSync(folder)) await made(DEFINITIONS, parse(readFileSync(join(folder, file), 'utf8')))
  const path = `${DEFINITIONS}/units.flotilla.dev`
  await served('a verdict', async () => (await conditions(path)).NamesAccepted !== undefined)
  const { NamesAccepted } = await conditions(path)
  assert.is(NamesAccepted.reason, 'PluralConflict')
  assert.match(NamesAccepted.message, /built into this server/)
  await api.ask('DELETE', path)
  await served('definition gone', answers(path, 404))
  assert.is((await api.ask('GET', `${UNITS}/kept.service`)).code, 200)
})

test('a namespace takes objects of users own kinds along', async () => {
  const group = 'drain.example.com'
  await define(group)
  await made(NAMESPACES, { metadata: { name: 'drained' } })
  const path = collection(group, 'v1', 'drained')
  await made(path, cronTab(group, 'a', {}, { namespace: 'drained' }))
  await api.ask('DELETE', `${NAMESPACES}/drained`)
  await until(answers(`${NAMESPACES}/drained`, 404), { what: 'the namespace gone' })
  assert.equal((await api.ask('GET', `/apis/${group}/v1/crontabs`)).body.items, [])
})

test('a definition that cannot be carried out is refused with every cause', async () => {
  const bad = cronTabs('bad.example.com')
  const [version] = bad.spec.versions
  version.additionalPrinterColumns[0].jsonPath = 'spec.x'
  version.additionalPrinterColumns[1].type = 'colour'
  version.selectableFields = [{ jsonPath: '.spec.nothing' }]
  version.subresources.scale.specReplicasPath = '.status.x'
  version.schema.openAPIV3Schema.type = 'string'
  const { code, body } = await api.ask('POST', DEFINITIONS, { body: bad })
  assert.is(code, 422)
  const fields = body.details.causes.map(({ field }: Json) => field.replace('spec.versions[0].', ''))
  for (const field of [
    'schema.openAPIV3Schema.type',
    'additionalPrinterColumns[0].jsonPath',
    'additionalPrinterColumns[1].type',
    'selectableFields[0].jsonPath',
    'subresources.scale.specReplicasPath',
  ])
    assert.ok(fields.includes(field), `${field} among ${fields}`)
})

test('a restart serves users own kinds at once, with their history', async () => {
  const group = 'restart.example.com'
  const dataDir = tempDir()
  const before = api
  api = await startApi({ store: 'embedded', dataDir })
  try {
    await define(group)
    const { metadata } = await made(collection(group), cronTab(group, 'a'))
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
