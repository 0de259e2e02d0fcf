/**
 * Random histories against a model that is nothing but a list of maps, one a revision. Each run is a sequence of bursts
 * of concurrent transactions, compactions and restarts; afterwards every kept revision is read and watched from.
 */
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import type {
  Compare,
  Event,
  KeyValue,
  Operation,
  Store,
  Transaction,
  TransactionResult,
} from '../../api-server/store/store.ts'
import { suiteOf } from '../support/requirements.ts'
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
    if (writes({ compare, operations }, present))
      this.states.push(after({ compare, operations }, present, this.revision + 1n))
    return true
  }
}

/** The state that the operations make of `present`. */
function after({ operations }: Transaction, present: State, modified: bigint): State {
  const next = new Map(present)
  for (const each of operations) {
    const { key } = each
    if (each.do === 'delete') next.delete(key)
    else next.set(key, { key, value: each.value, created: present.get(key)?.created ?? modified, modified })
  }
  return next
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
  const played = transactions.map((each, i) => ({ transaction: each, result: results[i] as TransactionResult }))
  for (const { transaction, result } of inOrder(played, model)) {
    const before = model.present
    assert.is(result.ok, model.apply(transaction))
    assert.is(result.revision, model.revision)
    if (result.ok) continue
    assert.equal(
      result.current.map(plain),
      transaction.compare.map((compare) => plain(before.get(compare.key))),
    )
  }
}

interface Played {
  readonly transaction: Transaction
  readonly result: TransactionResult
}

/**
 * The order that they took effect in: whoever is asked concurrently may be done in any, but the revisions tell which.
 * Of those with one revision the one that made it is first, and no other may have written.
 */
function inOrder(played: readonly Played[], model: Model): Played[] {
  const rest = [...played].sort((a, b) => Number(a.result.revision - b.result.revision))
  const ordered: Played[] = []
  let { present, revision } = model
  while (rest.length > 0) {
    const { revision: next = 0n } = rest[0]?.result ?? {}
    const peers = rest.splice(0, rest.filter(({ result }) => result.revision === next).length)
    const maker = next === revision ? undefined : peers.find((each) => isMaker(each, peers, present))
    if (maker !== undefined) present = after(maker.transaction, present, next)
    revision = next
    ordered.push(...(maker ? [maker] : []), ...peers.filter((each) => each !== maker))
  }
  return ordered
}

function isMaker(each: Played, peers: readonly Played[], present: State): boolean {
  if (!each.result.ok || !writes(each.transaction, present)) return false
  const made = after(each.transaction, present, each.result.revision)
  return peers.every((peer) => peer === each || !peer.result.ok || !writes(peer.transaction, made))
}

function writes({ operations }: Transaction, present: State): boolean {
  return operations.some((operation) => operation.do === 'put' || present.has(operation.key))
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
  await Promise.all(model.states.map((state, i) => checkState(store, model, state, i)))
}

async function checkState(store: Store, model: Model, state: State, i: number): Promise<void> {
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
  const test = suiteOf(`${backend.name}: model`, { needs: backend.needs ?? [] })

  test('no history of transactions, compactions and restarts tells it apart from a list of maps', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) => playAll(backend, steps))
    await fc.assert(property, {
      numRuns: backend.modelRuns,
      interruptAfterTimeLimit: 60_000,
      markInterruptAsFailure: true,
    })
  })

  test.after(async () => backend.done?.())
  test.run()
}
