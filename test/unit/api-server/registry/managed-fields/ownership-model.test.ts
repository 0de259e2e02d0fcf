/** After any writes by several managers: what everybody may rely on, whatever came before. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StatusError } from '../../../../../api-server/registry/errors.ts'
import { applyConfiguration } from '../../../../../api-server/registry/managed-fields/apply.ts'
import { allFields, compare } from '../../../../../api-server/registry/managed-fields/compare.ts'
import { type Entry, isOwnedBy, type Owner } from '../../../../../api-server/registry/managed-fields/entries.ts'
import {
  difference,
  EMPTY,
  type FieldSet,
  intersection,
  pathsOf,
  showPath,
  union,
} from '../../../../../api-server/registry/managed-fields/field-set.ts'
import { fieldsOf } from '../../../../../api-server/registry/managed-fields/fields-of.ts'
import { merge } from '../../../../../api-server/registry/managed-fields/merge.ts'
import { entriesAfterUpdate } from '../../../../../api-server/registry/managed-fields/update.ts'
import { TOY } from './toy-type.ts'

const test = suite('ownership after any writes')

type Json = Record<string, unknown>

const word = fc.constantFrom('a', 'b', 'c')
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const keyed = <T>(value: fc.Arbitrary<T>, key: (one: T) => unknown) =>
  fc.uniqueArray(value, { minLength: 1, maxLength: 3, selector: key })

const variable = fc.record({ name: word, value: word, more: word }, { requiredKeys: ['name'] })
const port = fc.record({ port: fc.constantFrom(1, 2), protocol: fc.constantFrom('TCP', 'UDP') })
/** Lists that are owned by element are never empty here: as in Kubernetes, an empty one says nothing. */
const anyObject: fc.Arbitrary<Json> = fc
  .record({
    image: optional(word),
    replicas: optional(fc.nat(2)),
    labels: optional(fc.dictionary(word, word, { minKeys: 1 })),
    env: optional(keyed(variable, ({ name }) => name)),
    ports: optional(keyed(port, (one) => JSON.stringify(one))),
    set: optional(fc.uniqueArray(word, { minLength: 1 })),
    args: optional(fc.array(word, { maxLength: 2 })),
    rolling: optional(fc.record({ surge: word, skew: word }, { requiredKeys: [] })),
    free: optional(fc.dictionary(word, fc.oneof(word, fc.dictionary(word, word), fc.array(word)))),
  })
  .map((object) => JSON.parse(JSON.stringify(object)) as Json)

interface Write {
  readonly manager: string
  readonly do: 'apply' | 'force' | 'update'
  readonly object: Json
}

const anyWrite: fc.Arbitrary<Write> = fc.record({
  manager: fc.constantFrom('m1', 'm2', 'm3'),
  do: fc.constantFrom('apply', 'force', 'update'),
  object: anyObject,
})
const anyWrites = fc.array(anyWrite, { minLength: 1, maxLength: 8 })

interface State {
  readonly object: Json | undefined
  readonly entries: readonly Entry[]
}

const ownerOf = (manager: string, operation: Owner['operation']): Owner => ({ manager, operation, apiVersion: 'x/v1' })

function write(state: State, { manager, do: way, object }: Write, second: number): State {
  const time = `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`
  const { entries } = state
  if (way === 'update') {
    const owner = ownerOf(manager, 'Update')
    const change = compare(TOY, state.object, object)
    const next = entriesAfterUpdate({ change, isNew: state.object === undefined, entries, owner, time })
    return { object, entries: next }
  }
  const common = { type: TOY, live: state.object, config: object, entries, time, title: '' }
  return applyConfiguration({ ...common, owner: ownerOf(manager, 'Apply'), force: way === 'force' })
}

/** Runs the writes; a conflict leaves everything as it was. */
function run(writes: readonly Write[], look: (before: State, after: State, one: Write) => void = () => {}): State {
  return writes.reduce<State>(
    (state, one, at) => {
      const frozen = JSON.stringify(state)
      try {
        const after = write(state, one, at)
        look(state, after, one)
        return after
      } catch (error) {
        if (!(error instanceof StatusError) || error.status.code !== 409) throw error
        return state
      } finally {
        assert.is(JSON.stringify(state), frozen, 'a write changed what it was given')
      }
    },
    { object: undefined, entries: [] },
  )
}

const show = (set: FieldSet) => [...pathsOf(set)].map(showPath)
const owned = (entries: readonly Entry[]) => entries.reduce((all, { fieldsV1 }) => union(all, fieldsV1), EMPTY)
/** Without the paths of maps and lists themselves, which applies do not own. */
const leaves = (object: unknown) => show(fieldsOf(TOY, object).set)

test('nobody owns what is not there, and no entry is empty or twice', () => {
  fc.assert(
    fc.property(anyWrites, (writes) => {
      run(writes, (_before, { object, entries }) => {
        assert.equal(show(difference(owned(entries), union(allFields(TOY, object), fieldsOf(TOY, object).set))), [])
        assert.ok(entries.every(({ fieldsV1 }) => Object.keys(fieldsV1).length > 0))
        const names = entries.map(({ manager, operation }) => `${operation} ${manager}`)
        assert.is(new Set(names).size, names.length)
      })
    }),
    { numRuns: 300 },
  )
})

/** What an update emptied is left behind, owned by nobody. */
function withoutEmptyMaps(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutEmptyMaps(inner)])
  const full = entries.filter(([, inner]) => JSON.stringify(inner) !== '{}')
  return Object.fromEntries(full)
}

test('everything in the object is owned by somebody', () => {
  fc.assert(
    fc.property(anyWrites, (writes) => {
      const { object, entries } = run(writes)
      const all = new Set(show(owned(entries)))
      assert.equal(
        leaves(withoutEmptyMaps(object)).filter((path) => !all.has(path)),
        [],
      )
    }),
    { numRuns: 300 },
  )
})

test('after an apply the object is as the configuration says, and its manager owns just that', () => {
  fc.assert(
    fc.property(anyWrites, (writes) => {
      run(writes, (_before, { object, entries }, { do: way, manager, object: config }) => {
        if (way === 'update') return
        assert.equal(show(compare(TOY, object, merge(TOY, object, config)).changed), [])
        const own = entries.find((entry) => entry.manager === manager && entry.operation === 'Apply')
        assert.equal(show(own?.fieldsV1 ?? EMPTY), leaves(config))
      })
    }),
    { numRuns: 300 },
  )
})

test('an apply that is repeated changes nothing at all', () => {
  fc.assert(
    fc.property(anyWrites, (writes) => {
      run(writes, (_before, after, one) => {
        if (one.do === 'update') return
        const again = write(after, { ...one, do: 'apply' }, 59)
        assert.equal(again, after)
      })
    }),
    { numRuns: 300 },
  )
})

/** Whoever made a list element may take it away, with what others wrote into it. */
test('an apply without force takes nothing from anybody that is still there', () => {
  fc.assert(
    fc.property(anyWrites, (writes) => {
      run(writes, (before, after, { do: way, manager }) => {
        if (way !== 'apply') return
        const isThere = allFields(TOY, after.object)
        for (const held of before.entries) {
          if (held.manager === manager && held.operation === 'Apply') continue
          const now = after.entries.find((one) => isOwnedBy(one, held))?.fieldsV1 ?? EMPTY
          assert.equal(show(intersection(difference(held.fieldsV1, now), isThere)), [])
          assert.equal(show(difference(now, held.fieldsV1)), [])
        }
      })
    }),
    { numRuns: 300 },
  )
})

test.run()
