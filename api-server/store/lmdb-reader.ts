/**
 * Reading the tables. lmdb is mapped into memory, so every read here is synchronous; all reads of one synchronous
 * stretch see the same state of the tables, which is always a synced one.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Transaction as ReadTransaction } from 'lmdb'
import type { History } from './follow.ts'
import { compareKeys, keyFault, rangeTest } from './keys.ts'
import {
  addressOf,
  decodePointer,
  decodeRecord,
  keyValueOf,
  type LogRecord,
  type Pointer,
  revisionOf,
  type Tables,
  writeAddress,
} from './lmdb-layout.ts'
import { checkReadable, mergePast, type Undo } from './past.ts'
import {
  CompactedError,
  type Event,
  type GetResult,
  type KeyValue,
  type ListResult,
  type Range,
  type Revision,
} from './store.ts'

export type MetaName = 'format' | 'revision' | 'compacted'

interface Located extends LogRecord {
  readonly modified: Revision
  readonly place: number
}

/** lmdb knows no empty key; none is stored, so the first possible one stands for it. */
const FIRST_KEY = '\0'

/** Log records to read before others get their turn. */
const PAGE_RECORDS = 1_000

/** lmdb reads into one buffer over and over, with a length of its own making: what shall last is copied out of it. */
function stable(bytes: Buffer | undefined): Buffer | undefined {
  return bytes && Buffer.from(bytes.subarray(0, bytes.length))
}

function locate({ type, key, value, created, before }: LogRecord, modified: Revision, place: number): Located {
  return { type, key, value, created, before, modified, place }
}

export class LmdbReader implements History {
  readonly #tables: Tables
  readonly #scratch = addressOf(0n, 0)
  /** Snapshots that are being read. */
  #pins = 0
  /** Newest revision that was published, and the oldest that may be read; kept by whoever writes. */
  revision: Revision
  compacted: Revision

  constructor(tables: Tables) {
    this.#tables = tables
    this.revision = this.number('revision')
    this.compacted = this.number('compacted')
  }

  number(name: MetaName): bigint {
    return this.#tables.meta.get(name)?.readBigUInt64BE(0) ?? 0n
  }

  /** From here on, see the newest commit. */
  refresh(): void {
    this.#tables.root.resetReadTxn()
  }

  /** Whether reads work, seen from the newest commit. */
  answers(): boolean {
    try {
      this.refresh()
      this.number('revision')
      return true
    } catch {
      return false
    }
  }

  /** Opens the files anew; false while a snapshot is being read, whose state would be closed under it. */
  async reopen(): Promise<boolean> {
    if (this.#pins > 0) return false
    await this.#tables.reopen()
    return this.answers()
  }

  pointer(key: string): Pointer | undefined {
    if (keyFault(key) !== undefined) return undefined
    const bytes = this.#tables.keys.getBinaryFast(key)
    return bytes && decodePointer(bytes)
  }

  /** The key as of `pointer`; a version that nothing needs any more is no longer there to load. */
  load(key: string, pointer: Pointer): KeyValue {
    return this.#keyValue(key, pointer, stable(this.#tables.log.getBinaryFast(this.#address(pointer))))
  }

  /** The key as it is now. */
  current(key: string): KeyValue | undefined {
    const pointer = this.pointer(key)
    return pointer && this.load(key, pointer)
  }

  get(key: string): GetResult {
    return { revision: this.number('revision'), kv: this.current(key) }
  }

  list(range: Range, limit: number): ListResult {
    const entries = this.#entries(range, limit + 1)
    return this.#listOf(entries, limit, this.number('revision'))
  }

  getAt(key: string, at: Revision): Promise<GetResult> {
    return this.#asOf(
      at,
      (changed) => changed === key,
      (undo) => {
        const pointer = undo.has(key) ? undo.get(key) : this.pointer(key)
        return { revision: at, kv: pointer && this.load(key, pointer) }
      },
    )
  }

  listAt(range: Range, at: Revision, limit: number): Promise<ListResult> {
    return this.#asOf(at, rangeTest(range), (undo) =>
      this.#listOf(mergePast(this.#entries(range, limit + 1 + undo.size), undo), limit, at),
    )
  }

  eventsAfter(after: Revision, range: Range): { events: Event[]; through: Revision } {
    if (after < this.compacted) throw new CompactedError(this.compacted)
    const { records, through } = this.records(after, this.revision)
    const wants = rangeTest(range)
    const events = records.filter(({ key }) => wants(key)).map((record) => this.#eventOf(record))
    return { events, through }
  }

  /** The changes of whole transactions after `after`, a page of them; `through` is the last of which all were read. */
  records(after: Revision, until: Revision): { records: Located[]; through: Revision } {
    const records: Located[] = []
    if (after >= until) return { records, through: after }
    const range = { start: addressOf(after + 1n, 0), end: addressOf(until + 1n, 0) }
    for (const { key, value } of this.#tables.log.getRange(range)) {
      const modified = revisionOf(key)
      const last = records.at(-1)
      if (last && records.length >= PAGE_RECORDS && last.modified !== modified)
        return { records, through: last.modified }
      records.push(locate(decodeRecord(value), modified, key[8] ?? 0))
    }
    return { records, through: until }
  }

  /** All keys of one state, which stays readable until the iteration ends or `release` is called. */
  everything(): { revision: Revision; keys: number; items: Iterable<KeyValue>; release: () => void } {
    this.refresh()
    const transaction = this.#tables.root.useReadTransaction()
    const revision = this.#tables.meta.get('revision', { transaction })?.readBigUInt64BE(0) ?? 0n
    const keys = this.#tables.keys.getKeysCount({ start: FIRST_KEY, transaction })
    this.#pins += 1
    let isHeld = true
    const release = () => {
      if (!isHeld) return
      isHeld = false
      this.#pins -= 1
      transaction.done()
    }
    return { revision, keys, items: this.#pinned(transaction, release), release }
  }

  *#pinned(transaction: ReadTransaction, release: () => void): Generator<KeyValue> {
    try {
      for (const { key, value } of this.#tables.keys.getRange({ start: FIRST_KEY, transaction })) {
        const pointer = decodePointer(value)
        yield this.#keyValue(key, pointer, this.#tables.log.get(this.#address(pointer), { transaction }))
      }
    } finally {
      release()
    }
  }

  #keyValue(key: string, pointer: Pointer, record: Buffer | undefined): KeyValue {
    if (record === undefined) throw new Error(`the store is damaged: ${key} has no record at ${pointer.modified}`)
    return keyValueOf(key, pointer, record)
  }

  /** Valid until the next call: lmdb copies it at once. */
  #address({ modified, place }: Pointer): Buffer {
    return writeAddress(this.#scratch, modified, place)
  }

  #entries({ start, end }: Range, limit: number): (readonly [string, Pointer])[] {
    const entries: (readonly [string, Pointer])[] = []
    if (compareKeys(start, end) >= 0) return entries
    const range = { start: start === '' ? FIRST_KEY : start, end, ...(limit < Number.MAX_SAFE_INTEGER && { limit }) }
    for (const { key, value } of this.#tables.keys.getRange(range)) entries.push([key, decodePointer(value)])
    return entries
  }

  #listOf(entries: readonly (readonly [string, Pointer])[], limit: number, revision: Revision): ListResult {
    const shown = entries.length > limit ? entries.slice(0, limit) : entries
    return {
      revision,
      items: shown.map(([key, pointer]) => this.load(key, pointer)),
      more: entries.length > shown.length,
    }
  }

  /**
   * Computes from the present and what was there at `at` of all that changed since. The changes are read page by page;
   * the last page and `compute` belong to one synchronous stretch, so they see the same state.
   */
  async #asOf<T>(at: Revision, wants: (key: string) => boolean, compute: (undo: Undo<Pointer>) => T): Promise<T> {
    const undo = new Map<string, Pointer | undefined>()
    for (let seen = at; ; await turn()) {
      const newest = this.number('revision')
      checkReadable(at, { compacted: this.compacted, revision: newest })
      const { records, through } = this.records(seen, newest)
      for (const { key, before } of records) if (wants(key) && !undo.has(key)) undo.set(key, before)
      if (through >= newest) return compute(undo)
      seen = through
    }
  }

  #eventOf({ type, key, value, created, modified, before }: Located): Event {
    return { type, kv: { key, value, created, modified }, previous: before && this.load(key, before) }
  }
}
