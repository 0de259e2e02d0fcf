/** Definitions of users' own kinds: which are taken, under which names, and how they end. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { prefixRange } from '../../api-server/store/store.ts'
import { within } from '../support/within.ts'
import { type Api, type Json, MERGE, startApi, UNITS, unitBody, watchOf } from './api-raw.ts'
import { collection, cronTab, cronTabs, customKinds, DEFINITIONS, definitionAt, SOON_MS } from './custom-kinds.ts'

const test = suite('definitions of users own kinds')
let api: Api
const kinds = customKinds(() => api)

test.before(async () => {
  api = await startApi()
})
test.after(async () => api[Symbol.asyncDispose]())

test('a deleted definition takes its objects along, each as its finalizers let it, and takes nothing new', async () => {
  const group = 'end.example.com'
  await kinds.define(group)
  await kinds.made(collection(group), cronTab(group, 'free'))
  await kinds.made(collection(group), cronTab(group, 'held', {}, { finalizers: ['example.com/hold'] }))
  const watch = await watchOf(api, `${collection(group)}?watch=true`)
  await api.ask('DELETE', definitionAt(group))
  await kinds.served('free deleted', kinds.answers(`${collection(group)}/free`, 404))
  assert.is((await kinds.conditions(definitionAt(group))).Terminating?.status, 'True')
  const refused = await api.ask('POST', collection(group), { body: cronTab(group, 'late') })
  assert.is(refused.code, 405)
  assert.match(refused.body.message, /create not allowed while custom resource definition is terminating/)
  await api.ask('PATCH', `${collection(group)}/held`, { type: MERGE, body: { metadata: { finalizers: null } } })
  await kinds.served('definition gone', kinds.answers(definitionAt(group), 404))
  assert.is(await within(SOON_MS, watch.ended, 'the end of the watch'), 'clean')
  assert.equal(
    watch.told.filter((line) => line.startsWith('DELETED')),
    ['DELETED free', 'DELETED held'],
  )
  await kinds.define(group)
  assert.equal((await api.ask('GET', collection(group))).body.items, [])
})

test('objects that are made while their definition is deleted are refused, or deleted with it', async () => {
  const group = 'race.example.com'
  for (let round = 0; round < 5; round++) {
    await kinds.define(group)
    const create = (i: number) => api.ask('POST', collection(group), { body: cronTab(group, `a${i}`) })
    const some = Array.from({ length: 10 }, (_, i) => create(i))
    const deleted = api.ask('DELETE', definitionAt(group))
    const more = Array.from({ length: 40 }, (_, i) => create(10 + i))
    const codes = (await Promise.all([...some, deleted, ...more])).map(({ code }) => code)
    assert.equal(
      codes.filter((code) => ![200, 201, 404, 405].includes(code)),
      [],
    )
    await kinds.served('definition gone', kinds.answers(definitionAt(group), 404))
    const { items } = await api.server.registry.store.list(prefixRange(`/r/${group}/`))
    assert.equal(
      items.map(({ key }) => key),
      [],
    )
  }
})

test('names that somebody else has are refused in the status, until they are free', async () => {
  const group = 'names.example.com'
  await kinds.define(group)
  const other = cronTabs(group, { plural: 'clocks', singular: 'clock', shortNames: ['cl'] })
  other.metadata.name = `clocks.${group}`
  await kinds.made(DEFINITIONS, other)
  const path = `${DEFINITIONS}/clocks.${group}`
  await kinds.served('a verdict', async () => (await kinds.conditions(path)).NamesAccepted !== undefined)
  const { NamesAccepted, Established } = await kinds.conditions(path)
  assert.equal([NamesAccepted.status, NamesAccepted.reason], ['False', 'KindConflict'])
  assert.is(Established.status, 'False')
  await api.ask('DELETE', definitionAt(group))
  await kinds.served('clocks established', async () => (await kinds.conditions(path)).Established?.status === 'True')
  assert.is((await api.ask('GET', `/apis/${group}/v1/clocks`)).code, 200)
})

test('our own definitions do no harm on our own server, and say that their kinds are built in', async () => {
  await kinds.made(UNITS, unitBody('kept.service'))
  const folder = join(import.meta.dirname, '../../manifests/crds')
  for (const file of readdirSync(folder)) await kinds.made(DEFINITIONS, parse(readFileSync(join(folder, file), 'utf8')))
  const path = `${DEFINITIONS}/units.flotilla.dev`
  await kinds.served('a verdict', async () => (await kinds.conditions(path)).NamesAccepted !== undefined)
  const { NamesAccepted } = await kinds.conditions(path)
  assert.is(NamesAccepted.reason, 'PluralConflict')
  assert.match(NamesAccepted.message, /built into this server/)
  await api.ask('DELETE', path)
  await kinds.served('definition gone', kinds.answers(path, 404))
  assert.is((await api.ask('GET', `${UNITS}/kept.service`)).code, 200)
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

test.run()
