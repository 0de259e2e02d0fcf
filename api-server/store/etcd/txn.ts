/**
 * Transactions of the seam as transactions of etcd's: each that writes puts the head, too, and its value holds an id.
 * By that the live watch knows which of ours were committed, so a lost answer is not a lost outcome:
 *
 * - The id passes by: it was committed, whatever became of the answer.
 * - No answer, and a compare guards a key that the transaction itself changes: it is sent again, to the next member. If
 *   both arrive the second loses its compare, and the id tells that the first won.
 * - No answer, and nothing guards it: it is not sent again. If its id does not pass by in time, the caller is told that
 *   nobody knows.
 */
import { randomBytes } from 'node:crypto'
import type { CallOptions, KeyValue, Revision, Transaction, TransactionResult } from '../store.ts'
import { UnavailableError } from '../store.ts'
import { comparesHold } from '../transaction.ts'
import { AmbiguousError, type Endpoints } from './endpoints.ts'
import { type Counting, encodeHead, keyValueOf, type Layout } from './layout.ts'
import type { Live } from './live.ts'
import type { EtcdCompare, RequestOp, TxnAnswer } from './messages.ts'
import { firstOf, headAt, present, putOf, readOf, replaced, stillThere } from './meta.ts'

export interface TxnDeps {
  readonly endpoints: Endpoints
  readonly layout: Layout
  readonly counting: Counting
  /** Oldest revision of the store that was opened. */
  readonly begin: Revision
  readonly live: Live
  readonly now: () => number
}

/** How often a transaction of deletes looks again at what is there to delete. */
const MAX_LOOKS = 10
/** How long the id of a transaction without an answer may take to pass by. */
const PATIENCE_MS = 2_000

export class Transactions {
  readonly #deps: TxnDeps
  readonly #writer = randomBytes(6).toString('hex')
  #count = 0

  constructor(deps: TxnDeps) {
    this.#deps = deps
  }

  async txn(transaction: Transaction, { signal }: CallOptions = {}): Promise<TransactionResult> {
    signal?.throwIfAborted()
    const result = await this.#perform(transaction, signal)
    await this.#handedOut(result.revision, signal)
    return result
  }

  async #perform(transaction: Transaction, signal: AbortSignal | undefined): Promise<TransactionResult> {
    if (writesForSure(transaction)) return this.#write(transaction, [], signal)
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const { result, existing } = await this.#look(transaction, signal)
      if (existing === undefined) return result
      const written = await this.#write(transaction, [present(this.#deps.layout.physical(existing))], signal)
      if (written.ok || !holdsIn(transaction, written.current)) return written
    }
    throw new UnavailableError(
      'others keep deleting and creating the keys that were to be deleted: nothing was written',
    )
  }

  /** Reads whether the compares hold, and a key that is to be deleted and is there. Writes nothing. */
  async #look(transaction: Transaction, signal: AbortSignal | undefined): Promise<Look> {
    const { endpoints, layout, counting } = this.#deps
    const targets = transaction.operations.map(({ key }) => key)
    const existence = targets.map((key) => ({ request_range: { key: layout.physical(key), keys_only: true } }))
    const request = {
      compare: this.#compares(transaction),
      success: [readOf(layout.head), ...existence],
      failure: this.#lookups(transaction),
    }
    const answer = await endpoints.call<TxnAnswer>('KV.Txn', request, { repeatable: true, signal })
    if (!answer.succeeded) return { result: this.#lost(transaction, answer) }
    const [head, ...found] = answer.responses.map(firstOf)
    return {
      result: { ok: true, revision: counting.seam(headAt(head, answer).revision) },
      existing: targets.find((_, i) => found[i] !== undefined),
    }
  }

  /** The transaction, written if its compares and `further` hold. */
  async #write(
    transaction: Transaction,
    further: readonly EtcdCompare[],
    signal: AbortSignal | undefined,
  ): Promise<TransactionResult> {
    const { layout, live, now } = this.#deps
    const id = `${this.#writer}.${++this.#count}`
    const request = {
      compare: [stillThere(layout, this.#deps), ...this.#compares(transaction), ...further],
      success: [...this.#operations(transaction), putOf(layout.head, encodeHead({ timeMs: now(), id }))],
      failure: this.#lookups(transaction),
    }
    const committed = live.committed(id)
    const byId = committed.revision.then((revision): TransactionResult => ({ ok: true, revision }))
    try {
      return await Promise.race([byId, this.#answered(transaction, request, byId, signal)])
    } finally {
      committed.forget()
    }
  }

  async #answered(
    transaction: Transaction,
    request: object,
    byId: Promise<TransactionResult>,
    signal: AbortSignal | undefined,
  ): Promise<TransactionResult> {
    const { endpoints, counting } = this.#deps
    try {
      const options = { repeatable: guardsItself(transaction), writes: true, signal }
      const answer = await endpoints.call<TxnAnswer>('KV.Txn', request, options)
      if (answer.succeeded) return { ok: true, revision: counting.seam(answer.header?.revision ?? 0n) }
      const result = this.#lost(transaction, answer)
      // By the time that all up to the loss has passed by, our own id has, if it was us who won the first time.
      await this.#handedOut(result.revision, signal)
      return result
    } catch (error) {
      if (!(error instanceof AmbiguousError)) throw error
      const outcome = await within(PATIENCE_MS, byId)
      if (outcome === undefined) throw error
      return outcome
    }
  }

  /**
   * A writer is told together with those who watch. Should the watch be broken for longer than a call may take, the
   * truth goes first: the write is committed.
   */
  async #handedOut(revision: Revision, signal: AbortSignal | undefined): Promise<void> {
    const { live, endpoints } = this.#deps
    if (live.revision < revision) await within(endpoints.timeouts.callMs, live.reached(revision, signal))
  }

  /** The transaction's own compares, as etcd's. A revision from before the store's beginning is no key's. */
  #compares({ compare }: Transaction): EtcdCompare[] {
    const { layout, counting } = this.#deps
    return compare.map(({ key, modified }) => {
      const revision = modified === 0n ? 0n : modified > counting.offset ? modified - counting.offset : -1n
      return { result: 0, target: 2, key: layout.physical(key), mod_revision: String(revision) }
    })
  }

  /** What is read where the compares are lost. */
  #lookups({ compare }: Transaction): RequestOp[] {
    const { layout } = this.#deps
    return [readOf(layout.head), readOf(layout.format), ...compare.map(({ key }) => readOf(layout.physical(key)))]
  }

  #operations({ operations }: Transaction): RequestOp[] {
    return operations.map((each) => {
      const key = this.#deps.layout.physical(each.key)
      return each.do === 'put' ? putOf(key, each.value) : { request_delete_range: { key } }
    })
  }

  #lost({ compare }: Transaction, answer: TxnAnswer): TransactionResult & { ok: false } {
    const { counting, begin } = this.#deps
    const [head, format, ...found] = answer.responses.map(firstOf)
    if (format === undefined || counting.seam(format.create_revision) !== begin) throw replaced()
    const current = compare.map(({ key }, i): KeyValue | undefined => {
      const kv = found[i]
      return kv && keyValueOf(key, kv, counting)
    })
    return { ok: false, revision: counting.seam(headAt(head, answer).revision), current }
  }
}

interface Look {
  /** The outcome, unless there is something to delete. */
  readonly result: TransactionResult
  readonly existing?: string | undefined
}

/** What `promise` gives within that time, else undefined. Every write comes by: a timer that is cleared costs no error. */
async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined).unref()
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether making it twice is as good as once: doing it breaks its own compares. */
export function guardsItself({ compare, operations }: Transaction): boolean {
  const guarded = new Map(compare.map(({ key, modified }) => [key, modified]))
  return operations.some(({ do: verb, key }) => {
    const modified = guarded.get(key)
    return modified !== undefined && (verb === 'put' || modified !== 0n)
  })
}

/** Whether it writes something if its compares hold: a put does, and the delete of a key that is known to be there. */
export function writesForSure({ compare, operations }: Transaction): boolean {
  const known = new Set(compare.filter(({ modified }) => modified !== 0n).map(({ key }) => key))
  return operations.some(({ do: verb, key }) => verb === 'put' || known.has(key))
}

function holdsIn(transaction: Transaction, current: readonly (KeyValue | undefined)[]): boolean {
  const found = new Map(transaction.compare.map(({ key }, i) => [key, current[i]]))
  return comparesHold(transaction, (key) => found.get(key))
}
