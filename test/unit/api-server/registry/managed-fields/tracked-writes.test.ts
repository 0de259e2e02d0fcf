/** managedFields through the registry: what is stored, what clients may do to it, and that it is never lost by the way. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodingOf, managedFieldsIn, textWithoutManagedFields } from '../../../../../api-server/registry/encode.ts'
import { managedFieldsOf } from '../../../../../api-server/registry/entry.ts'
import { StatusError } from '../../../../../api-server/registry/errors.ts'
import { applyTo, configurationOf } from '../../../../../api-server/registry/managed-fields/apply-to.ts'
import type { Entry } from '../../../../../api-server/registry/managed-fields/entries.ts'
import { pathsOf, showPath } from '../../../../../api-server/registry/managed-fields/field-set.ts'
import { LAST_APPLIED } from '../../../../../api-server/registry/managed-fields/last-applied.ts'
import { AS_APPLIED, updatedBy } from '../../../../../api-server/registry/managed-fields/track.ts'
import { patchOf } from '../../../../../api-server/registry/patch/index.ts'
import type { Registry } from '../../../../../api-server/registry/registry.ts'
import type { ApiObject } from '../../../../../crds/kind.ts'
import { at, UNIT, unitObject, withRegistry } from '../with-registry.ts'

const test = suite('managedFields of what is stored')

const U = 'u.service'
const BY_ME = { ownership: updatedBy({ manager: 'me' }) }

async function withUnit(use: (registry: Registry) => Promise<void>, metadata: object = {}): Promise<void> {
  await withRegistry(async ({ registry }) => {
    await registry.create(UNIT, undefined, unitObject(U, metadata), BY_ME)
    await use(registry)
  })
}

function patch(registry: Registry, body: unknown, manager = 'you', subresource?: 'status') {
  const type = Array.isArray(body) ? 'application/json-patch+json' : 'application/merge-patch+json'
  const change = (current: ApiObject): ApiObject => {
    const { metadata, ...rest } = patchOf(UNIT, type, body)(current) as ApiObject
    return { ...rest, metadata: { ...metadata } } as ApiObject
  }
  return registry.update(at(U), change, subresource, { ownership: updatedBy({ manager, subresource }) })
}

const managed = (registry: Registry) => (managedFieldsOf(registry.get(at(U))) ?? []) as Entry[]
const owners = (registry: Registry) =>
  managed(registry).map(({ manager, fieldsV1 }) => `${manager}: ${[...pathsOf(fieldsV1)].map(showPath).join(' ')}`)

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '}],"name":', '"managedFields":[{', '"resourceVersion":"1",'),
)

test('whatever names and values hold, the list is found in the bytes and left out of them', async () => {
  const fieldsV1 = fc.dictionary(
    anyText.map((text) => `f:${text}`),
    fc.constant({}),
  )
  const entry = fc.record({ manager: anyText, operation: fc.constant('Update'), fieldsV1 })
  const metadata = fc.record({
    managedFields: fc.array(entry, { minLength: 1 }),
    name: anyText,
    labels: fc.dictionary(anyText, anyText),
  })
  const encoding = encodingOf(UNIT)
  await fc.assert(
    fc.property(metadata, fc.jsonValue(), (meta, spec) => {
      const object = { apiVersion: UNIT.apiVersion, kind: UNIT.kind, metadata: meta, spec } as unknown as ApiObject
      const bytes = encoding.render(encoding.encode(object), 7n)
      assert.equal(managedFieldsIn(bytes), JSON.parse(JSON.stringify(meta.managedFields)))
      const { managedFields: _list, ...rest } = meta
      const expected = { ...object, metadata: { ...rest, resourceVersion: '7' } }
      assert.equal(JSON.parse(textWithoutManagedFields(bytes)), JSON.parse(JSON.stringify(expected)))
    }),
    { numRuns: 500 },
  )
})

test('who makes, changes and reports is entered, and readers get the list', () =>
  withUnit(async (registry) => {
    await patch(registry, { spec: { failover: 'none' } })
    await patch(registry, { status: { hash: 'h' } }, 'agent', 'status')
    assert.equal(owners(registry), [
      'agent: .status .status.hash',
      'me: .spec .spec.content .spec.desiredState',
      'you: .spec.failover',
    ])
    const shown = JSON.parse(registry.get(at(U)).bytes.toString()) as ApiObject
    assert.equal(shown.metadata.managedFields, managed(registry))
  }))

test('a write that changes nothing keeps the version, whoever writes', () =>
  withUnit(async (registry) => {
    const before = registry.get(at(U))
    await patch(registry, { spec: { failover: 'reschedule' } }, 'somebody')
    await patch(registry, { metadata: { managedFields: managed(registry) } }, 'somebody')
    assert.is(registry.get(at(U)), before)
  }))

test('a client that does not know the list does not lose it', () =>
  withUnit(async (registry) => {
    const before = managed(registry)
    await registry.update(at(U), () => unitObject(U, { labels: { a: 'b' } }), undefined, BY_ME)
    assert.ok(owners(registry)[0]?.includes('.metadata.labels.a'))
    await patch(registry, { metadata: { managedFields: null } })
    assert.is(managed(registry).length, before.length)
  }))

test('deletion that waits for a finalizer keeps the list', () =>
  withUnit(
    async (registry) => {
      const before = managed(registry)
      await registry.delete(at(U))
      assert.equal(managed(registry), before)
    },
    { finalizers: ['example.dev/wait'] },
  ))

test('a JSON patch may reach into the list, and replace it', () =>
  withUnit(async (registry) => {
    await patch(registry, [{ op: 'replace', path: '/metadata/managedFields/0/manager', value: 'renamed' }])
    assert.equal(
      managed(registry).map(({ manager }) => manager),
      ['renamed'],
    )
    const entry = { ...managed(registry)[0], operation: 'Apply' }
    await patch(registry, [{ op: 'replace', path: '/metadata/managedFields', value: [entry] }])
    assert.equal(managed(registry), [entry])
    await patch(registry, [{ op: 'test', path: '/metadata/managedFields/0/manager', value: 'renamed' }])
    assert.equal(managed(registry), [entry])
  }))

test('through the status nobody writes the list', () =>
  withUnit(async (registry) => {
    const list = [{ ...managed(registry)[0], manager: 'thief' }]
    await patch(registry, { metadata: { managedFields: list }, status: { hash: 'h' } }, 'agent', 'status')
    assert.equal(owners(registry), [
      'agent: .status .status.hash',
      'me: .spec .spec.content .spec.desiredState .spec.failover',
    ])
  }))

for (const [how, list] of [
  ['an empty list', []],
  ['one empty entry', [{}]],
] as const)
  test(`${how} clears who manages, and nobody is tracked from then on`, () =>
    withUnit(async (registry) => {
      await patch(registry, { metadata: { managedFields: list } })
      await patch(registry, { spec: { failover: 'none' } })
      assert.is(managedFieldsOf(registry.get(at(U))), undefined)
    }))

test('a hostile list is refused, and nothing of the write is done', () =>
  withUnit(async (registry) => {
    const before = registry.get(at(U))
    const list = Array.from({ length: 2_000 }, () => managed(registry)[0])
    const code = await patch(registry, { metadata: { managedFields: list }, spec: { failover: 'none' } }).then(
      () => 200,
      (error: unknown) => (error instanceof StatusError ? error.status.code : error),
    )
    assert.is(code, 422)
    assert.is(registry.get(at(U)), before)
  }))

const TIME = '2026-01-01T00:00:00Z'
const kubectlApply = (live: ApiObject | undefined, object: ApiObject, manager = 'kubectl') => {
  const config = configurationOf(UNIT, object, undefined)
  return applyTo(live, { kind: UNIT, config, writer: { manager }, force: false, time: TIME })
}

test('an apply is made, repeated without a trace, and changed through the registry', () =>
  withRegistry(async ({ registry }) => {
    const options = { ownership: AS_APPLIED }
    const write = (spec: object) =>
      registry.update(at(U), (live) => kubectlApply(live, unitObject(U, {}, spec)), undefined, options)
    await registry.create(UNIT, undefined, kubectlApply(undefined, unitObject(U, {}, { failover: 'none' })), options)
    const made = registry.get(at(U))
    await write({ failover: 'none' })
    assert.is(registry.get(at(U)), made)
    await write({})
    assert.equal(owners(registry), ['kubectl: .spec.content'])
    assert.is(
      (JSON.parse(registry.get(at(U)).bytes.toString()) as { spec: { failover: string } }).spec.failover,
      'reschedule',
    )
  }))

test('what kubectl applied on its own side is no conflict for it, but is for others, and where it was changed since', () => {
  const said = unitObject(U, {}, { failover: 'none' })
  const annotations = { [LAST_APPLIED]: JSON.stringify(said), note: 'x' }
  const entry = (manager: string, fieldsV1: object) => ({
    manager,
    operation: 'Update',
    apiVersion: UNIT.apiVersion,
    time: TIME,
    fieldsType: 'FieldsV1',
    fieldsV1,
  })
  const managedFields = [entry('kubectl-client-side-apply', { 'f:spec': { 'f:failover': {}, 'f:content': {} } })]
  const live = unitObject(U, { annotations, managedFields }, { failover: 'none' })
  const next = unitObject(U, {}, { failover: 'exclusive' })
  const taken = kubectlApply(structuredClone(live), next)
  assert.is((taken.spec as { failover: string }).failover, 'exclusive')
  assert.equal(JSON.parse(taken.metadata.annotations?.[LAST_APPLIED] ?? ''), {
    ...next,
    metadata: { annotations: {}, name: U },
  })
  assert.throws(() => kubectlApply(structuredClone(live), next, 'other'), /conflict with "kubectl-client-side-apply"/)
  const edited = unitObject(U, { annotations, managedFields }, { failover: 'reschedule' })
  assert.throws(() => kubectlApply(edited, next), /Apply failed with 1 conflict.*\.spec\.failover/)
})

test.run()
