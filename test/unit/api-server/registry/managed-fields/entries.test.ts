import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StatusError } from '../../../../../api-server/registry/errors.ts'
import { type Entry, givenEntries, sortEntries } from '../../../../../api-server/registry/managed-fields/entries.ts'
import { checkManager, managerOfUserAgent } from '../../../../../api-server/registry/managed-fields/manager-name.ts'

const test = suite('entries of managedFields')

const entry = (manager: string, more: Partial<Entry> = {}): Entry => ({
  manager,
  operation: 'Update',
  apiVersion: 'x/v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:a': {} },
  ...more,
})
const STORED = [entry('held')]

function codeOf(run: () => unknown): number | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof StatusError) return error.status.code
    throw error
  }
}

test('a client that says nothing, or what is stored, leaves what is stored', () => {
  assert.is(givenEntries(undefined, STORED), STORED)
  assert.is(givenEntries(null, STORED), STORED)
  assert.is(givenEntries(JSON.parse(JSON.stringify(STORED)), STORED), STORED)
})

test('a client may write the list', () => {
  assert.equal(givenEntries([entry('mine', { operation: 'Apply' })], STORED), [entry('mine', { operation: 'Apply' })])
})

test('an empty list, or one empty entry, resets it', () => {
  assert.equal(givenEntries([], STORED), [])
  assert.equal(givenEntries([{}], STORED), [])
})

const IGNORED: readonly [why: string, given: unknown][] = [
  ['an operation that there is not', [entry('m', { operation: 'Delete' as 'Apply' })]],
  ['no operation', [{ manager: 'm', fieldsV1: {} }]],
  ['another type of fields', [{ ...entry('m'), fieldsType: 'FieldsV2' }]],
  ['an empty type of fields', [{ ...entry('m'), fieldsType: '' }]],
  ['fields that are none', [{ ...entry('m'), fieldsV1: { bogus: {} } }]],
  ['fields that are a list', [{ ...entry('m'), fieldsV1: [] }]],
]

for (const [why, given] of IGNORED)
  test(`${why}: the list is ignored, as Kubernetes does`, () => {
    assert.is(givenEntries(given, STORED), STORED)
  })

let deep: object = {}
for (let level = 0; level < 200; level++) deep = { 'f:a': deep }
const many = Object.fromEntries(Array.from({ length: 11_000 }, (_, at) => [`f:${at}`, {}]))

const REFUSED: readonly [why: string, code: number, given: unknown][] = [
  ['no list', 400, 'x'],
  ['an object', 400, {}],
  ['a list of no objects', 400, [1]],
  ['a manager that is a number', 400, [{ ...entry('m'), manager: 1 }]],
  ['a time that is none', 400, [entry('m', { time: 'yesterday' })]],
  ['too many entries', 422, Array.from({ length: 1_001 }, () => entry('m'))],
  ['too many fields over all entries', 422, [entry('a', { fieldsV1: many }), entry('b', { fieldsV1: many })]],
  ['fields too deep', 422, [{ ...entry('m'), fieldsV1: deep }]],
  ['an element too long', 422, [entry('m', { fieldsV1: { [`f:${'x'.repeat(5_000)}`]: {} } })]],
]

for (const [why, code, given] of REFUSED)
  test(`${why}: ${code}`, () => {
    assert.is(
      codeOf(() => givenEntries(given, STORED)),
      code,
    )
  })

test('of two entries of one owner the later counts, and empty ones vanish', () => {
  const later = entry('m', { fieldsV1: { 'f:b': {} } })
  assert.equal(givenEntries([entry('m'), later, entry('empty', { fieldsV1: {} })], STORED), [later])
})

test('times of any offset are kept in one form', () => {
  const [given] = givenEntries([entry('m', { time: '2026-01-01T02:00:00.5+02:00' })], STORED)
  assert.is(given?.time, '2026-01-01T00:00:00Z')
})

test('applies come first, then by time, then by name', () => {
  const late = '2026-01-02T00:00:00Z'
  const entries = [entry('b'), entry('a', { time: late }), entry('z', { operation: 'Apply', time: late }), entry('a')]
  assert.equal(
    sortEntries(entries).map(({ manager, time }) => `${manager} ${time}`),
    [`z ${late}`, 'a 2026-01-01T00:00:00Z', 'b 2026-01-01T00:00:00Z', `a ${late}`],
  )
})

const AGENTS: readonly [agent: string | undefined, manager: string][] = [
  ['kubectl/v1.32.4 (linux/amd64) kubernetes/abc', 'kubectl'],
  ['curl', 'curl'],
  ['a\u0007b/1', 'ab'],
  [undefined, 'unknown'],
  ['', 'unknown'],
  ['/1', 'unknown'],
  ['x'.repeat(200), 'x'.repeat(128)],
]

for (const [agent, manager] of AGENTS)
  test(`the User-Agent ${JSON.stringify(agent?.slice(0, 30))} manages as ${manager.slice(0, 30)}`, () => {
    assert.is(managerOfUserAgent(agent), manager)
  })

test('a manager’s name is short and can be read', () => {
  assert.is(checkManager('müller & söhne', 'PatchOptions'), 'müller & söhne')
  for (const name of ['x'.repeat(129), 'a\nb', 'a\u0000'])
    assert.is(
      codeOf(() => checkManager(name, 'PatchOptions')),
      422,
    )
})

test.run()
