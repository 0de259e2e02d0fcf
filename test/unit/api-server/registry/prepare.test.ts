import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import {
  alignWithPath,
  isNoOp,
  prepareCreate,
  prepareUpdate,
  settleGeneration,
  timestamp,
} from '../../../../api-server/registry/prepare.ts'
import { Lease } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import { UNIT, unitObject } from './with-registry.ts'

const test = suite('what the server decides')

const STAMP = { uid: 'u1', now: new Date('2026-01-02T03:04:05.678Z') }
const LEASE = Lease as Kind

test('a timestamp has seconds and a Z', () => assert.is(timestamp(STAMP.now), '2026-01-02T03:04:05Z'))

test('what the path says is filled in', () => {
  assert.equal(alignWithPath(LEASE, { spec: {} }, 'ns', 'a'), {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'a', namespace: 'ns' },
    spec: {},
  })
})

const MISFITS: readonly (readonly [string, Kind, unknown, RegExp])[] = [
  ['null', UNIT, null, /must be of type Unit/],
  ['a list', UNIT, [], /must be of type Unit/],
  ['a text', UNIT, 'x', /must be of type Unit/],
  ['another kind', UNIT, { kind: 'Pod' }, /does not match the expected API version/],
  ['another version', UNIT, { apiVersion: 'v2' }, /does not match the expected API version/],
  [
    'another name',
    UNIT,
    { metadata: { name: 'b' } },
    /the name of the object \(b\) does not match the name on the URL \(a\)/,
  ],
  ['another namespace', LEASE, { metadata: { namespace: 'x' } }, /namespace of the provided object does not match/],
  ['metadata that is a list', UNIT, { metadata: [] }, /metadata must be an object/],
  ['metadata that is null', UNIT, { metadata: null }, /metadata must be an object/],
  ['a name that is a number', UNIT, { metadata: { name: 5 } }, /metadata.name must be a string/],
  [
    'a version that is a number',
    UNIT,
    { metadata: { resourceVersion: 5 } },
    /metadata.resourceVersion must be a string/,
  ],
]

for (const [title, kind, input, message] of MISFITS)
  test(`${title} is refused with 400`, () => {
    const error = failureOf(() => alignWithPath(kind, input, kind === LEASE ? 'ns' : undefined, 'a'))
    assert.is(error.status.code, 400)
    assert.match(error.message, message)
  })

test('a new object gets identity, time and generation, whatever it came with', () => {
  const object = unitObject('a.service', {
    uid: 'mine',
    generation: 7,
    creationTimestamp: '2000-01-01T00:00:00Z',
    deletionTimestamp: '2000-01-01T00:00:00Z',
    selfLink: '/x',
    managedFields: [{}],
    labels: {},
    finalizers: [],
  })
  object.status = { currentState: 'launched' }
  prepareCreate(UNIT, object, STAMP)
  assert.equal(object.metadata, {
    name: 'a.service',
    uid: 'u1',
    creationTimestamp: '2026-01-02T03:04:05Z',
    generation: 1,
  })
  assert.is(object.status, undefined)
})

test('a new object may not bring a version', () => {
  const error = failureOf(() => prepareCreate(UNIT, unitObject('a.service', { resourceVersion: '1' }), STAMP))
  assert.equal([error.status.code, error.message], [400, 'resourceVersion should not be set on objects to be created'])
})

test('generateName names what has no name, and only that', () => {
  const nameless = { ...unitObject(''), metadata: { generateName: 'gen-' } } as ApiObject
  prepareCreate(UNIT, nameless, STAMP)
  assert.match(nameless.metadata.name, /^gen-.{5}$/)
  const named = unitObject('a.service', { generateName: 'gen-' })
  prepareCreate(UNIT, named, STAMP)
  assert.is(named.metadata.name, 'a.service')
})

const current = (): ApiObject => ({
  ...unitObject('a.service', {
    uid: 'u1',
    resourceVersion: '5',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
  }),
  status: { currentState: 'loaded' },
})

test('a write of the object keeps what is the server’s and what is the status’', () => {
  const next = {
    ...unitObject('a.service', { labels: { a: 'b' }, generation: 99, creationTimestamp: '2000-01-01T00:00:00Z' }),
    status: { currentState: 'launched' },
  }
  const prepared = prepareUpdate(UNIT, current(), next, undefined)
  assert.equal(prepared.status, { currentState: 'loaded' })
  assert.equal(prepared.metadata, {
    name: 'a.service',
    labels: { a: 'b' },
    uid: 'u1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 3,
  })
})

test('a write of the status changes nothing else', () => {
  const next = {
    ...unitObject('a.service', { labels: { a: 'b' } }, { content: 'other' }),
    status: { currentState: 'launched' },
  }
  const { status, ...rest } = prepareUpdate(UNIT, current(), next, 'status')
  const { status: _status, ...before } = current()
  assert.equal(status, { currentState: 'launched' })
  assert.equal(rest, before)
})

test('a status can be taken away', () => {
  const { status: _status, ...rest } = current()
  assert.not.ok('status' in prepareUpdate(UNIT, current(), rest as ApiObject, 'status'))
})

test('another uid is another object: 409', () => {
  const error = failureOf(() => prepareUpdate(UNIT, current(), unitObject('a.service', { uid: 'u2' }), undefined))
  assert.is(error.status.code, 409)
})

test('deletion cannot be begun or undone by a write', () => {
  const begun = prepareUpdate(
    UNIT,
    current(),
    unitObject('a.service', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    undefined,
  )
  assert.is(begun.metadata.deletionTimestamp, undefined)
  const deleting = {
    ...current(),
    metadata: { ...current().metadata, deletionTimestamp: '2026-02-02T00:00:00Z', finalizers: ['a'] },
  }
  const undone = prepareUpdate(UNIT, deleting, unitObject('a.service', { finalizers: ['a'] }), undefined)
  assert.is(undone.metadata.deletionTimestamp, '2026-02-02T00:00:00Z')
})

test('while an object is being deleted finalizers may go, not come', () => {
  const deleting = {
    ...current(),
    metadata: { ...current().metadata, deletionTimestamp: '2026-02-02T00:00:00Z', finalizers: ['a', 'b'] },
  }
  assert.equal(
    prepareUpdate(UNIT, deleting, unitObject('a.service', { finalizers: ['b'] }), undefined).metadata.finalizers,
    ['b'],
  )
  const { status } = failureOf(() =>
    prepareUpdate(UNIT, deleting, unitObject('a.service', { finalizers: ['a', 'c'] }), undefined),
  )
  assert.equal(
    [status.code, status.details?.causes?.[0]?.field, status.details?.causes?.[0]?.reason],
    [422, 'metadata.finalizers', 'FieldValueForbidden'],
  )
  assert.match(status.message ?? '', /no new finalizers can be added if the object is being deleted/)
})

test('the generation rises with the spec, not with metadata or status', () => {
  const generationAfter = (next: ApiObject): number | undefined => {
    settleGeneration(UNIT, current(), next)
    return next.metadata.generation
  }
  assert.is(generationAfter({ ...current(), status: {} }), 3)
  assert.is(generationAfter({ ...current(), metadata: { ...current().metadata, labels: { a: 'b' } } }), 3)
  assert.is(generationAfter({ ...current(), spec: { content: 'other' } }), 4)
  assert.is(generationAfter({ ...current(), extra: 1 }), 4)
})

test('a write that says what is there already changes nothing', () => {
  assert.ok(isNoOp(current(), { ...current(), metadata: { ...current().metadata, resourceVersion: '6' } }))
  assert.not.ok(isNoOp(current(), { ...current(), metadata: { ...current().metadata, labels: { a: 'b' } } }))
})

function failureOf(run: () => unknown): StatusError {
  try {
    return assert.unreachable(JSON.stringify(run())) as never
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
}

test.run()
