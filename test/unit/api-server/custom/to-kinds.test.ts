import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { statusOf } from '../../../../api-server/custom/status.ts'
import { toKinds } from '../../../../api-server/custom/to-kinds.ts'
import { definition, VERSION } from './support.ts'

const test = suite('from a definition to its kinds')

const NAMES = { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList', shortNames: ['ct'] }
const OLD = { ...VERSION, name: 'v1beta1', storage: false }

test('every served version is a kind, stored as the storage version', () => {
  const kinds = toKinds(definition(NAMES, { versions: [VERSION, OLD, { ...OLD, name: 'v0', served: false }] }), NAMES)
  assert.equal(
    kinds.map(({ apiVersion, storedAs }) => [apiVersion, storedAs]),
    [
      ['example.com/v1', 'example.com/v1'],
      ['example.com/v1beta1', 'example.com/v1'],
    ],
  )
})

test('names are those that were accepted', () => {
  const [kind] = toKinds(definition(NAMES), { ...NAMES, shortNames: [] })
  assert.equal([kind?.plural, kind?.singular, kind?.kind, kind?.shortNames], ['crontabs', 'crontab', 'CronTab', []])
})

test('the age is shown unless the definition names columns of its own', () => {
  const columns = (version: object) =>
    toKinds(definition(NAMES, { versions: [{ ...VERSION, ...version }] }), NAMES)[0]?.columns.map(({ name }) => name)
  assert.equal(columns({}), ['Age'])
  const color = { name: 'Color', type: 'string', jsonPath: '.spec.color' }
  assert.equal(columns({ additionalPrinterColumns: [color] }), ['Color'])
})

test('status and scale are there where the version has them', () => {
  const scale = { specReplicasPath: '.spec.count', statusReplicasPath: '.status.count' }
  const subresources = { status: {}, scale }
  const [with_] = toKinds(definition(NAMES, { versions: [{ ...VERSION, subresources }] }), NAMES)
  const [without] = toKinds(definition(NAMES), NAMES)
  assert.equal([with_?.status, with_?.scale], [true, scale])
  assert.equal([without?.status, without?.scale], [false, undefined])
})

test('a definition that is going takes nothing new', () => {
  const going = definition(NAMES)
  const [kind] = toKinds(
    { ...going, metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:09Z' } },
    NAMES,
  )
  assert.is(kind?.isEnding, true)
  assert.not(kind?.verbs.includes('create'))
})

test('selectable fields are dotted paths', () => {
  const selectableFields = [{ jsonPath: '.spec.color' }]
  const [kind] = toKinds(definition(NAMES, { versions: [{ ...VERSION, selectableFields }] }), NAMES)
  assert.equal(kind?.selectableFields, ['spec.color'])
})

test('a condition keeps its time while its answer is the same, and others are left alone', () => {
  const verdict = { accepted: NAMES, conflict: undefined, isEstablished: true }
  const first = statusOf(definition(NAMES), verdict, new Date('2026-01-01T00:00:00Z'))
  const mine = { type: 'Mine', status: 'True' }
  const status = { ...first, conditions: [mine, ...(first.conditions ?? [])] }
  assert.equal(statusOf({ ...definition(NAMES), status }, verdict, new Date('2026-02-02T00:00:00Z')), status)
  const lost = { ...verdict, conflict: { reason: 'KindConflict', message: 'taken' } }
  const later = statusOf({ ...definition(NAMES), status }, lost, new Date('2026-02-02T00:00:00Z'))
  assert.equal(
    later.conditions?.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]),
    [
      ['Mine', 'True', undefined],
      ['NamesAccepted', 'False', '2026-02-02T00:00:00Z'],
      ['Established', 'True', '2026-01-01T00:00:00Z'],
    ],
  )
})

test.run()
