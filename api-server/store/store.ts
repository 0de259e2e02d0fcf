/**
 * The store seam (docs/decisions D2): one revisioned key-value space below everything the API server keeps.
 *
 * Contract, held by every backend and proved by test/suites/store-suite.ts:
 * - Revisions are one 64-bit counter for the whole store. A transaction that writes raises it by exactly one and all its
 *   operations carry that revision; a transaction that writes nothing raises nothing.
 * - A write's promise resolves only once the write is durable: after fsync (embedded), after raft commit (etcd).
 * - A lost compare is a value (`ok: false`), never an exception. Exceptions are for what a caller cannot foresee.
 * - Keys are `/`-separated UTF-8 of at most 1 KiB; ranges compare them bytewise.
 * - Value bytes belong to the store once handed over: backends and watchers share them instead of copying, so neither
 *   the writer nor a reader may change them.
 * - Watches deliver a transaction's events together, in revision order, without gaps or repeats, and only durable ones.
 *   One delivery may hold several whole transactions. A writer's promise resolves together with the delivery to those
 *   who wait, never before the events are on their way.
 * - History survives a restart: a watch may resume from any revision that was not compacted.
 */
import type { SnapshotContent } from './snapshot/items.ts'

export type Revision = bigint

export interface KeyValue {
  readonly key: string
  readonly value: Uint8Array
  /** Revision that created the key, and the one that last changed it. */
  readonly created: Revision
  readonly modified: Revision
}

/** Half-open key interval `[start, end)`. `prefixRange('/r/')` covers everything below a prefix. */
export interface Range {
  readonly start: string
  readonly end: string
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

/** Guards a transaction: the key's `modified` revision must equal `modified`; `0n` means the key must not exist. */
export interface Compare {
  readonly key: string
  readonly modified: Revision
}

export type Operation =
  | { readonly do: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly do: 'delete'; readonly key: string }

export interface Transaction {
  readonly compare: readonly Compare[]
  /** At most `MAX_OPERATIONS`, each key at most once. */
  readonly operations: readonly Operation[]
}

export type TransactionResult =
  | { readonly ok: true; readonly revision: Revision }
  /** `current` holds, in the order of `compare`, what each compared key is now (`undefined`: absent). */
  | { readonly ok: false; readonly revision: Revision; readonly current: readonly (KeyValue | undefined)[] }

export interface Event {
  readonly type: 'put' | 'delete'
  /** For a delete: the key, an empty value, and the deleting revision in `modified`. */
  readonly kv: KeyValue
  readonly previous: KeyValue | undefined
}

export interface GetResult {
  readonly revision: Revision
  readonly kv: KeyValue | undefined
}

export interface ListResult {
  readonly revision: Revision
  readonly items: readonly KeyValue[]
  /** More keys lie in the range beyond `limit`. */
  readonly more: boolean
}

/** `at` reads the state as of that revision: `CompactedError` when it is older than the history, `FutureRevisionError` when newer than the newest. */
export interface Reads {
  get(key: string, options?: CallOptions & { readonly at?: Revision }): Promise<GetResult>
  list(range: Range, options?: CallOptions & { readonly at?: Revision; readonly limit?: number }): Promise<ListResult>
}

export interface Writes {
  /**
   * Throws `InvalidTransactionError` before anything is written, `UnavailableError` when nothing was written, or, where
   * the link to etcd broke, when nobody knows, which its message then says. Deleting an absent key writes nothing. When `signal` aborts first, the promise rejects with its reason; a transaction that was
   * already on its way to the disk may still be committed.
   */
  txn(transaction: Transaction, options?: CallOptions): Promise<TransactionResult>
}

export interface Watches {
  /**
   * Yields every batch of events in `range` with revision > `after`: history first, then live, until `signal` aborts
   * (a normal end). With `until` (at most the present revision) it ends by itself after the last event up to there. Throws `CompactedError` when `after` is older than the kept history, `SlowWatcherError` when the
   * consumer fell further behind than the backend buffers.
   */
  watch(
    range: Range,
    options: { readonly after: Revision; readonly until?: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<readonly Event[]>
}

export interface Store extends Reads, Writes, Watches, AsyncDisposable {
  /** Newest durable revision that this process knows. */
  readonly revision: Revision
  /**
   * The newest revision that exists, whoever wrote it, at some moment after the call; by the time it resolves every watch
   * of this process has been handed all up to there. That makes a read of what a watch feeds a consistent one. At once
   * where one process owns the store; with etcd it costs one round trip, shared by all who wait.
   */
  readRevision(options?: CallOptions): Promise<Revision>
  /**
   * Forgets history older than `before`, which becomes the oldest revision to read at or to watch after; older ones throw
   * `CompactedError`. Idempotent; a `before` beyond the newest revision counts as the newest.
   */
  compact(before: Revision, options?: CallOptions): Promise<void>
  /** Everything there is as of one revision, for `writeSnapshot` or whoever sends it on; whoever asks must release it. */
  everything(options?: CallOptions): Promise<SnapshotContent>
  /** Writes one verified file that `restore` of any backend accepts: everything as of one revision, checksummed. */
  snapshot(file: string, options?: CallOptions): Promise<{ readonly revision: Revision; readonly keys: number }>
}

export const MAX_OPERATIONS = 120
export const MAX_KEY_BYTES = 1024

/** History before `compacted` is gone; list anew. */
export class CompactedError extends Error {
  readonly compacted: Revision
  constructor(compacted: Revision) {
    super(`history before revision ${compacted} has been compacted`)
    this.compacted = compacted
  }
}

/** The watcher did not keep up; it may watch again from the last revision it has seen. */
export class SlowWatcherError extends Error {
  constructor() {
    super('watcher fell too far behind and was cut; watch again from the last revision seen')
  }
}

/** The backend cannot accept writes now (disk full, read-only, failed fsync). Reads go on. */
export class UnavailableError extends Error {}

/** What was opened is not there any more: somebody has restored or wiped the store. Only opening it anew helps. */
export class ReplacedError extends UnavailableError {}

/** The transaction breaks a limit or names a key twice: a mistake of the caller's, so nothing was written. */
export class InvalidTransactionError extends Error {}

/** A read at a revision that does not exist yet. */
export class FutureRevisionError extends Error {
  constructor(asked: Revision, newest: Revision) {
    super(`revision ${asked} does not exist yet; the newest is ${newest}`)
  }
}

/** Sorts after every key: no key starts with the last code point. */
const PAST_ALL_KEYS = '\u{10ffff}'

/** The range of all keys that start with `prefix`; all keys when it is empty. It must end in ASCII, as `/r/` does. */
export function prefixRange(prefix: string): Range {
  if (prefix === '') return { start: '', end: PAST_ALL_KEYS }
  const last = prefix.charCodeAt(prefix.length - 1)
  if (last > 0x7f) throw new RangeError(`a prefix must end in an ASCII character: ${prefix}`)
  return { start: prefix, end: prefix.slice(0, -1) + String.fromCharCode(last + 1) }
}
