/**
 * Applies batches of transactions to the tables. Compares are decided here, in order, against the tables and the
 * changes of the transactions before them in the batch; what results is written as one lmdb transaction, so a batch is
 * there whole or not at all, and is published once it is synced.
 */
import { statfs } from 'node:fs/promises'
import {
  addressOf,
  encodeNumber,
  encodePointer,
  encodeRecord,
  keyValueOf,
  type Pointer,
  type Tables,
} from './lmdb-layout.ts'
import type { LmdbReader } from './lmdb-reader.ts'
import { type KeyValue, type Revision, type Transaction, type TransactionResult, UnavailableError } from './store.ts'
import { type Change, changesOf, comparesHold } from './transaction.ts'
import type { Publication, WatchHub } from './watch-hub.ts'

export interface WriterDeps {
  readonly tables: Tables
  readonly reader: LmdbReader
  readonly hub: WatchHub
  readonly folder: string
}

/** Adds to the lmdb transaction that is being put together. Must not throw: half of it would be committed. */
export type Put = () => void

/** A key's state within the batch: where it will lie and what is written there; undefined once deleted. */
interface Staged {
  readonly pointer: Pointer
  readonly record: Buffer
}

interface Batch {
  revision: Revision
  readonly overlay: Map<string, Staged | undefined>
  readonly puts: Put[]
  readonly published: Publication[][]
}

const FULL_DISK_BYTES = 1024 * 1024

/** lmdb's commit errors carry the cause as a promise, which must be awaited lest it count as unhandled. */
async function causeOf(error: unknown): Promise<Error> {
  const cause: unknown = error instanceof Error && 'commitError' in error ? error.commitError : error
  try {
    await cause
  } catch (rejected) {
    if (rejected instanceof Error) return rejected
  }
  return error instanceof Error ? error : new Error(String(error))
}

async function isFull(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize < FULL_DISK_BYTES
  } catch {
    return false // The disk does not even answer that: the write's own error tells more.
  }
}

export class LmdbWriter {
  readonly #tables: Tables
  readonly #reader: LmdbReader
  readonly #hub: WatchHub
  readonly #folder: string
  #uncertain = false

  constructor({ tables, reader, hub, folder }: WriterDeps) {
    this.#tables = tables
    this.#reader = reader
    this.#hub = hub
    this.#folder = folder
  }

  async commit(transactions: readonly Transaction[]): Promise<readonly TransactionResult[]> {
    if (this.#uncertain) await this.#refuseIfUncertain()
    this.#reader.refresh()
    const batch: Batch = { revision: this.#reader.revision, overlay: new Map(), puts: [], published: [] }
    const results = transactions.map((transaction) => this.#stage(batch, transaction))
    if (batch.puts.length > 0) await this.#writeBatch(batch)
    return results
  }

  /** Writes `puts` as one durable lmdb transaction; `UnavailableError` when nothing was written. */
  async write(puts: readonly Put[]): Promise<void> {
    if (this.#uncertain) await this.#refuseIfUncertain()
    try {
      await this.#tables.root.batch(() => {
        for (const put of puts) put()
      })
    } catch (error) {
      const cause = await causeOf(error)
      this.#uncertain = true
      await this.#answerAgain()
      const full = await isFull(this.#folder)
      const reason = full ? 'the disk of the store is full' : `the store cannot write to its disk (${cause.message})`
      throw new UnavailableError(`${reason}; nothing was written, reads go on`, { cause })
    }
  }

  /** After a failed commit: whether it left the state before it, as lmdb promises, is checked before the next one. */
  async #refuseIfUncertain(): Promise<void> {
    if (!(await this.#answerAgain()))
      throw new UnavailableError('the files of the store cannot be opened after its disk failed')
    if (this.#reader.number('revision') !== this.#reader.revision) {
      throw new UnavailableError('a write was reported as failed but reached the disk; restart the server to go on')
    }
    this.#uncertain = false
  }

  /** Whether lmdb answers after a failed commit; where it does not go on by itself, its files are opened anew. */
  async #answerAgain(): Promise<boolean> {
    try {
      return this.#reader.answers() || (await this.#reader.reopen())
    } catch {
      return false // The next write tries again.
    }
  }

  #stage(batch: Batch, transaction: Transaction): TransactionResult {
    const read = (key: string) => this.#pointer(batch, key)
    if (!comparesHold(transaction, read)) {
      const current = transaction.compare.map(({ key }) => this.#current(batch, key))
      return { ok: false, revision: batch.revision, current }
    }
    const changes = changesOf(transaction, batch.revision + 1n, read)
    if (changes.length > 0) this.#stageChanges(batch, changes)
    return { ok: true, revision: batch.revision }
  }

  #stageChanges(batch: Batch, changes: readonly Change<Pointer>[]): void {
    batch.revision += 1n
    const modified = batch.revision
    for (const [place, change] of changes.entries()) {
      const record = encodeRecord(change)
      const pointer = { modified, place, created: change.created }
      batch.overlay.set(change.key, change.type === 'put' ? { pointer, record } : undefined)
      batch.puts.push(this.#putOf(change, pointer, record))
    }
    batch.published.push(changes.map((change) => this.#publicationOf(change, modified)))
  }

  #putOf({ type, key }: Change<Pointer>, pointer: Pointer, record: Buffer): Put {
    const { keys, log } = this.#tables
    const address = addressOf(pointer.modified, pointer.place)
    const encoded = encodePointer(pointer)
    return () => {
      void log.put(address, record)
      if (type === 'put') void keys.put(key, encoded)
      else void keys.remove(key)
    }
  }

  #publicationOf({ type, key, value, created, before }: Change<Pointer>, modified: Revision): Publication {
    return {
      key,
      event: () => ({
        type,
        kv: { key, value, created, modified },
        previous: before && this.#reader.load(key, before),
      }),
    }
  }

  async #writeBatch({ revision, puts, published }: Batch): Promise<void> {
    const newest = encodeNumber(revision)
    await this.write([...puts, () => void this.#tables.meta.put('revision', newest)])
    this.#reader.refresh()
    this.#reader.revision = revision
    for (const changes of published) this.#hub.publish(changes)
    this.#hub.deliver()
  }

  #pointer({ overlay }: Batch, key: string): Pointer | undefined {
    return overlay.has(key) ? overlay.get(key)?.pointer : this.#reader.pointer(key)
  }

  #current({ overlay }: Batch, key: string): KeyValue | undefined {
    if (!overlay.has(key)) return this.#reader.current(key)
    const staged = overlay.get(key)
    return staged && keyValueOf(key, staged.pointer, staged.record)
  }
}
