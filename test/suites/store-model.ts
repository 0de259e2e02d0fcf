/**
 * Random histories against a model that is nothing but a list of maps, one a revision. Each run is a sequence of bursts
 * of concurrent transactions, compactions and restarts; afterwards every kept revision is read and watched from.
 */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Compare, Event, KeyValue, Operation, Store, Transaction } from '../../api-server/store/store.ts'
import { ALL, bytes, type StoreBackend, watched } from './store-backend.ts'

const KEYS = ['/a', '/a/b', '/a0', '/b', '/é', '/\uffee', '/\u{1f600}']

/** `seen`: the revision it has when the burst begins; the others are wrong unless by chance. */
interface Guard {
  readonly key: string
  readonly expects: 'seen' | 'absent' | 'stale'
}
interface Step {
  readonly burst: readonly { readonly guards: readonly Guard[]; readonly operations: readonly Operation[] }[]
  readonly next: 'nothing' | 'compact' | 'restart'
}
type State = ReadonlyMap<string, KeyValue>

const key = fc.constantFrom(...KEYS)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
)
const transaction = fc.record({
  guards: fc.array(fc.record({ key, expects: fc.constantFrom('seen', 'seen', 'absent', 'stale') }), { maxLength: 2 }),
  operations: fc.uniqueArray(operation, { maxLength: 4, selector: (each) => each.key }),
})
const step: fc.Arbitrary<Step> = fc.record({
  burst: fc.array(transaction, { minLength: 1, maxLength: 5 }),
  next: fc.constantFrom('nothing', 'nothing', 'nothing', 'nothing', 'compact', 'restart'),
})

class Model {
  /** Index 0 is the oldest kept state. */
  readonly states: State[] = [new Map()]
  oldest: bigint

  constructor(revision: bigint) {
    this.oldest = revision
  }

  get revision(): bigint {
    return this.oldest + BigInt(this.states.length) - 1n
  }

  get present(): State {
    return this.states.at(-1) ?? new Map()
  }

  compact(before: bigint): void {
    this.states.splice(0, Number(before - this.oldest))
    this.oldest = before
  }

  apply({ compare, operations }: Transaction): boolean {
    const { present } = this
    if (!compare.every((each) => (present.get(each.key)?.modified ?? 0n) === each.modified)) return false
    const next = new Map(present)
    let wrote = false
    const modified = this.revision + 1n
    for (const each of operations) {
      wrote = each.do === 'put' || present.has(each.key) || wrote
      if (each.do === 'delete') next.delete(each.key)
      else
        next.set(each.key, {
          key: each.key,
          value: each.value,
          created: present.get(each.key)?.created ?? modified,
          modified,
        })
    }
    if (wrote) this.states.push(next)
    return true
  }
}

function compareOf({ key, expects }: Guard, present: State): Compare {
  const seen = present.get(key)?.modified ?? 0n
  return { key, modified: { seen, absent: 0n, stale: seen + 1n }[expects] }
}

async function play(store: Store, model: Model, { burst }: Step): Promise<void> {
  const { present } = model
  const transactions = burst.map(({ guards, operations }) => ({
    compare: guards.map((guard) => compareOf(guard, present)),
    operations,
  }))
  const results = await Promise.all(transactions.map((each) => store.txn(each)))
  for (const [i, each] of transactions.entries()) {
    const before = model.present
    const ok = model.apply(each)
    assert.is(results[i]?.ok, ok)
    assert.is(results[i]?.revision, model.revision)
    if (results[i]?.ok === false) {
      assert.equal(
        results[i].current.map(plain),
        each.compare.map((compare) => plain(before.get(compare.key))),
      )
    }
  }
}

function plain(kv: KeyValue | undefined) {
  return kv && { ...kv, value: Buffer.from(kv.value).toString('hex') }
}

function sorted(state: State) {
  return [...state.values()].sort((a, b) => Buffer.compare(bytes(a.key), bytes(b.key))).map(plain)
}

/** Applies events to a state, checking that each follows from it. */
function advance(state: State, events: readonly Event[]): State {
  const next = new Map(state)
  for (const { type, kv, previous } of events) {
    assert.equal(plain(previous), plain(next.get(kv.key)))
    if (type === 'put') next.set(kv.key, kv)
    else next.delete(kv.key)
  }
  return next
}

async function check(store: Store, model: Model): Promise<void> {
  assert.is(store.revision, model.revision)
  assert.equal((await store.list(ALL)).items.map(plain), sorted(model.present))
  for (const [i, state] of model.states.entries()) {
    const at = model.oldest + BigInt(i)
    const limit = 1 + (i % KEYS.length)
    const page = await store.list(ALL, { at, limit })
    assert.equal(page.items.map(plain), sorted(state).slice(0, limit))
    assert.is(page.more, state.size > limit)
    const probe = KEYS[i % KEYS.length] ?? '/a'
    assert.equal(plain((await store.get(probe, { at })).kv), plain(state.get(probe)))
    const events = (await watched(store, { after: at, until: model.revision })).flat()
    assert.equal(sorted(advance(state, events)), sorted(model.present))
  }
}

async function playAll(backend: StoreBackend, steps: readonly Step[]): Promise<void> {
  let store = await backend.open()
  try {
    const model = new Model(store.revision)
    for (const each of steps) {
      await play(store, model, each)
      if (each.next === 'restart' && backend.reopen) store = await backend.reopen(store)
      if (each.next !== 'compact') continue
      const before = (model.oldest + model.revision) / 2n
      await store.compact(before)
      model.compact(before)
    }
    await check(store, model)
  } finally {
    await store[Symbol.asyncDispose]()
  }
}

export function registerModel(backend: StoreBackend): void {
  const test = suite(`${backend.name}: model`)

  test('no history of transactions, compactions and restarts tells it apart from a list of maps', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) => playAll(backend, steps))
    await fc.assert(property, {
      numRuns: backend.modelRuns,
      interruptAfterTimeLimit: 60_000,
      markInterruptAsFailure: true,
    })
  })

  test.run()
}
