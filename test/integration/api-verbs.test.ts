/**
 * get, list, create, update, patch, delete as Kubernetes' clients know them, over real TLS, on both stores.
 * Longer than 250 lines: the verbs are promises about one another, told once for each store.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../support/until.ts'
import {
  type Answer,
  type Api,
  JSON_PATCH,
  type Json,
  LEASES,
  MERGE,
  NAMESPACES,
  STRATEGIC,
  startApi,
  UNITS,
  unitBody,
} from './api-raw.ts'

let count = 0
const fresh = () => `u${++count}.service`

async function made(
  api: Api,
  metadata: Record<string, unknown> = {},
  spec: Record<string, unknown> = {},
  name = fresh(),
) {
  const { code, body, text } = await api.ask('POST', UNITS, { body: unitBody(name, spec, metadata) })
  assert.is(code, 201, text)
  return { name, path: `${UNITS}/${name}`, object: body as Json }
}

const merge = (api: Api, path: string, body: unknown): Promise<Answer> => api.ask('PATCH', path, { type: MERGE, body })

const PROMISES: Readonly<Record<string, (api: Api) => Promise<void>>> = {
  'a new object comes back as it is stored': async (api) => {
    const { path, object } = await made(api, { labels: { a: 'b' } })
    const { uid, creationTimestamp, resourceVersion, generation } = object.metadata
    assert.match(uid, /^[0-9a-f-]{36}$/)
    assert.match(creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.match(resourceVersion, /^[1-9]\d*$/)
    assert.is(generation, 1)
    assert.equal([object.apiVersion, object.kind, object.spec.failover], ['flotilla.dev/v1', 'Unit', 'reschedule'])
    const { headers, body } = await api.ask('GET', path)
    assert.equal(body, object)
    assert.equal([headers['cache-control'], headers['content-type']], ['no-cache, private', 'application/json'])
    assert.is(headers.location, undefined)
  },

  'a body needs neither kind nor version nor a media type': async (api) => {
    const name = fresh()
    const body = { metadata: { name }, spec: { content: '[Service]' } }
    const { code, body: object } = await api.ask('POST', UNITS, { body, type: null })
    assert.equal([code, object.kind, object.apiVersion], [201, 'Unit', 'flotilla.dev/v1'])
  },

  'a body may be YAML': async (api) => {
    const body = `metadata: {name: ${fresh()}}\nspec:\n  content: |\n    [Service]\n    ExecStart=/bin/true\n`
    const { code, body: object } = await api.ask('POST', UNITS, { body, type: 'application/yaml' })
    assert.equal([code, object.spec?.content], [201, '[Service]\nExecStart=/bin/true\n'])
  },

  'generateName makes a name': async (api) => {
    const body = { metadata: { generateName: 'gen-' } }
    const { body: lease } = await api.ask('POST', LEASES, { body })
    assert.match(lease.metadata.name, /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  },

  'HEAD answers as GET does, without the body': async (api) => {
    const { path, object } = await made(api)
    const { code, headers, text } = await api.ask('HEAD', path)
    assert.equal([code, text, Number(headers['content-length'])], [200, '', JSON.stringify(object).length])
  },

  'a write that changes nothing keeps the version': async (api) => {
    const { path, object } = await made(api, { labels: { a: 'b' } })
    const { resourceVersion } = object.metadata
    const same = [
      merge(api, path, { metadata: { labels: { a: 'b' } } }),
      merge(api, path, { spec: { none: null } }),
      merge(api, `${path}/status`, { spec: { content: 'ignored here' } }),
      api.ask('PUT', path, { body: object }),
      api.ask('PATCH', path, {
        type: JSON_PATCH,
        body: [{ op: 'test', path: '/metadata/name', value: object.metadata.name }],
      }),
    ]
    for (const { code, body } of await Promise.all(same))
      assert.equal([code, body.metadata.resourceVersion], [200, resourceVersion])
  },

  'the generation counts changes of the spec alone': async (api) => {
    const { path } = await made(api)
    const generation = async (answer: Promise<Answer>) => (await answer).body.metadata.generation
    assert.is(await generation(merge(api, path, { metadata: { labels: { a: 'b' } } })), 1)
    assert.is(await generation(merge(api, `${path}/status`, { status: { currentState: 'loaded' } })), 1)
    assert.is(await generation(merge(api, path, { spec: { desiredState: 'loaded' } })), 2)
  },

  'the status is written through its own door, and only there': async (api) => {
    const { path } = await made(api)
    await merge(api, path, { status: { currentState: 'launched' } })
    assert.is((await api.ask('GET', path)).body.status, undefined)
    const patched = await merge(api, `${path}/status`, {
      status: { currentState: 'loaded' },
      metadata: { labels: { a: 'b' } },
    })
    assert.equal([patched.body.status.currentState, patched.body.metadata.labels], ['loaded', undefined])
    assert.equal((await api.ask('GET', `${path}/status`)).body, patched.body)
    const put = { ...patched.body, status: { currentState: 'launched' }, spec: {} }
    const { body } = await api.ask('PUT', `${path}/status`, { body: put })
    assert.equal([body.status.currentState, body.spec.content !== undefined], ['launched', true])
  },

  'PUT replaces what its version names': async (api) => {
    const { path, object } = await made(api, { labels: { a: 'b' } })
    const next = {
      ...object,
      metadata: { name: object.metadata.name, resourceVersion: object.metadata.resourceVersion },
    }
    const { code, body } = await api.ask('PUT', path, { body: next })
    assert.equal([code, body.metadata.labels, body.metadata.uid], [200, undefined, object.metadata.uid])
    assert.is((await api.ask('PUT', path, { body: { ...next, spec: { content: 'x' } } })).code, 409)
  },

  'PUT of a built-in kind needs no version': async (api) => {
    const name = `ns${++count}`
    assert.is((await api.ask('POST', NAMESPACES, { body: { metadata: { name } } })).code, 201)
    const { code, body } = await api.ask('PUT', `${NAMESPACES}/${name}`, {
      body: { metadata: { name, labels: { a: 'b' } } },
    })
    assert.equal([code, body.metadata.labels.a], [200, 'b'])
  },

  'of 64 patches at once that name no version all land, and none is told of a conflict': async (api) => {
    const { path } = await made(api)
    const patches = Array.from({ length: 64 }, (_, n) =>
      merge(api, path, { metadata: { annotations: { [`a${n}`]: '1' } } }),
    )
    for (const { code } of await Promise.all(patches)) assert.is(code, 200)
    const { metadata } = (await api.ask('GET', path)).body
    assert.is(Object.keys(metadata.annotations).length, 64)
  },

  'of 16 patches at once that name the same version exactly one wins': async (api) => {
    const { path, object } = await made(api)
    const { resourceVersion } = object.metadata
    const claim = (n: number) => merge(api, path, { metadata: { resourceVersion, labels: { n: String(n) } } })
    const codes = (await Promise.all(Array.from({ length: 16 }, (_, n) => claim(n)))).map(({ code }) => code)
    assert.equal(codes.sort(), [200, ...Array.from({ length: 15 }, () => 409)])
  },

  'a JSON patch claims what its test names, and nobody claims it twice': async (api) => {
    const { path } = await made(api, {}, { machineName: 'm1' })
    await merge(api, `${path}/status`, { status: { machineName: '' } })
    const claim = (machine: string) => [
      { op: 'test', path: '/spec/machineName', value: 'm1' },
      { op: 'test', path: '/status/machineName', value: '' },
      { op: 'replace', path: '/status/machineName', value: machine },
    ]
    const ask = (machine: string) => api.ask('PATCH', `${path}/status`, { type: JSON_PATCH, body: claim(machine) })
    const codes = (await Promise.all(['m1', 'm2', 'm3'].map(ask))).map(({ code }) => code)
    assert.equal(codes.sort(), [200, 422, 422])
  },

  'strategic patches merge lists by key in built-in kinds': async (api) => {
    const name = `lease${++count}`
    const ownerReferences = ['u1', 'u2'].map((uid) => ({ apiVersion: 'v1', kind: 'X', name: 'x', uid }))
    await api.ask('POST', LEASES, { body: { metadata: { name, ownerReferences } } })
    const body = { metadata: { ownerReferences: [{ uid: 'u1', $patch: 'delete' }] } }
    const { body: lease } = await api.ask('PATCH', `${LEASES}/${name}`, { type: STRATEGIC, body })
    assert.equal(
      lease.metadata.ownerReferences.map(({ uid }: Json) => uid),
      ['u2'],
    )
  },

  'kubectl scale’s three ways all scale': async (api) => {
    const { path } = await made(api, {}, { replicas: 1 }, `web${++count}@.service`)
    const patched = await merge(api, `${path}/scale`, { spec: { replicas: 3 } })
    assert.equal(
      [patched.body.kind, patched.body.apiVersion, patched.body.spec.replicas],
      ['Scale', 'autoscaling/v1', 3],
    )
    const { body: scale } = await api.ask('GET', `${path}/scale`)
    const put = await api.ask('PUT', `${path}/scale`, { body: { ...scale, spec: { replicas: 5 } }, type: null })
    assert.equal([put.code, put.body.spec.replicas], [200, 5])
    assert.is((await api.ask('PUT', `${path}/scale`, { body: scale })).code, 409, 'a stale Scale')
    const unit = (await api.ask('GET', path)).body
    assert.equal([unit.spec.replicas, unit.metadata.generation], [5, 3])
  },

  'a dry run answers as the real one would, and leaves nothing': async (api) => {
    const { path, object } = await made(api)
    const patched = await api.ask('PATCH', `${path}?dryRun=All`, {
      type: MERGE,
      body: { metadata: { labels: { a: 'b' } } },
    })
    assert.equal(patched.body.metadata.labels, { a: 'b' })
    assert.is((await api.ask('DELETE', path, { body: { dryRun: ['All'] } })).body.status, 'Success')
    assert.equal((await api.ask('GET', path)).body, object)
  },

  'a deletion answers with a Status that names the uid': async (api) => {
    const { name, path, object } = await made(api)
    const { code, body } = await api.ask('DELETE', path, { body: { propagationPolicy: 'Background' } })
    const details = { name, group: 'flotilla.dev', kind: 'units', uid: object.metadata.uid }
    assert.equal([code, body], [200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }])
    assert.is((await api.ask('GET', path)).code, 404)
    assert.is((await api.ask('DELETE', path)).code, 404)
  },

  'what has finalizers answers with the object and goes with the last of them': async (api) => {
    const { path } = await made(api, { finalizers: ['x/y'] })
    const { code, body } = await api.ask('DELETE', path)
    assert.equal(
      [code, body.kind, body.metadata.generation, body.metadata.deletionGracePeriodSeconds],
      [200, 'Unit', 2, 0],
    )
    assert.ok(body.metadata.deletionTimestamp)
    const last = await merge(api, path, { metadata: { finalizers: null } })
    assert.equal([last.code, last.body.metadata.finalizers], [200, undefined])
    assert.is((await api.ask('GET', path)).code, 404)
  },

  'a collection is deleted by selector, and told': async (api) => {
    for (let n = 0; n < 5; n++) await made(api, { labels: { sweep: n < 3 ? 'yes' : 'no' } })
    const { code, body } = await api.ask('DELETE', `${UNITS}?labelSelector=sweep%3Dyes`)
    assert.equal([code, body.kind, body.items.length], [200, 'UnitList', 3])
    assert.is((await api.ask('GET', `${UNITS}?labelSelector=sweep`)).body.items.length, 2)
  },

  'a namespace goes with what is in it': async (api) => {
    const name = `ns${++count}`
    const path = `${NAMESPACES}/${name}`
    const inside = `/apis/coordination.k8s.io/v1/namespaces/${name}/leases`
    assert.equal((await api.ask('POST', NAMESPACES, { body: { metadata: { name } } })).body.status, { phase: 'Active' })
    await api.ask('POST', inside, { body: { metadata: { name: 'a' } } })
    const { code, body } = await api.ask('DELETE', path)
    assert.equal([code, body.status.phase, body.spec.finalizers], [200, 'Terminating', ['kubernetes']])
    const late = await api.ask('POST', inside, { body: { metadata: { name: 'b' } } })
    if (late.code !== 404) assert.equal([late.code, late.body.details.causes[0].reason], [403, 'NamespaceTerminating'])
    await until(async () => (await api.ask('GET', path)).code === 404, { what: 'the namespace to go' })
    assert.equal((await api.ask('GET', inside)).body.items, [])
  },

  'a list tells its version, and pages all tell the first one’s': async (api) => {
    for (let n = 0; n < 5; n++) await made(api, { labels: { page: 'me' } })
    const path = `${UNITS}?labelSelector=page&limit=2`
    const first = (await api.ask('GET', path)).body
    assert.equal([first.kind, first.apiVersion, first.items.length], ['UnitList', 'flotilla.dev/v1', 2])
    await made(api, { labels: { page: 'me' } })
    const second = (await api.ask('GET', `${path}&continue=${first.metadata.continue}`)).body
    const third = (await api.ask('GET', `${path}&continue=${second.metadata.continue}`)).body
    assert.equal([second.items.length, third.items.length, third.metadata.continue], [2, 1, undefined])
    for (const { metadata } of [second, third]) assert.is(metadata.resourceVersion, first.metadata.resourceVersion)
    const empty = (await api.ask('GET', `${UNITS}?labelSelector=none`)).body
    assert.equal(empty.items, [])
  },

  'selectors choose': async (api) => {
    const { name } = await made(api, { labels: { pick: 'a' } }, { machineName: 'mx' })
    await made(api, { labels: { pick: 'b' } })
    const names = async (query: string) =>
      (await api.ask('GET', `${UNITS}?${query}`)).body.items.map(({ metadata }: Json) => metadata.name)
    assert.equal(await names('labelSelector=pick+in+(a,c)'), [name])
    assert.equal(await names(`fieldSelector=metadata.name%3D${name}`), [name])
    assert.equal(await names('fieldSelector=spec.machineName%3Dmx&labelSelector=pick'), [name])
  },
}

for (const store of ['memory', 'embedded'] as const) {
  const test = suite<{ api: Api }>(`verbs: ${store}`)
  test.before(async (context) => {
    context.api = await startApi({ store })
  })
  test.after(async ({ api }) => api[Symbol.asyncDispose]())
  for (const [title, check] of Object.entries(PROMISES)) test(title, ({ api }) => check(api))
  test.run()
}
