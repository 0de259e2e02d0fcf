/**
 * The store of one machine: lmdb, group commit, answered after the sync.
 *
 *     txn ──► group commit ──► writer ──► lmdb (synced) ──► hub ──► watchers
 *     get, list ──► reader ──► lmdb's map        watch from the past ──► reader, then hub
 *
 * One process owns the files. The disk may be full or failing: writes then throw `UnavailableError` and reads go on.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { follow } from './follow.ts'
import { bringUpToFormat } from './format.ts'
import { type GroupCommit, groupCommit } from './group-commit.ts'
import { HISTORY_NEVER_LATER_THAN_MS } from './history-policy.ts'
import { type Housekeeping, housekeeping } from './housekeeping.ts'
import { openTables, type Tables } from './lmdb-layout.ts'
import { LmdbReader } from './lmdb-reader.ts'
import { LmdbWriter } from './lmdb-writer.ts'
import { takeOwnership } from './owner-lock.ts'
import { writeSnapshot } from './snapshot/file.ts'
import { type Store, UnavailableError } from './store.ts'
import { syncFolder } from './sync-folder.ts'
import { checkTransaction } from './transaction.ts'
import { type Bounds, DEFAULT_BOUNDS, type WatchHub, watchHub } from './watch-hub.ts'

export interface EmbeddedOptions {
  /** The store keeps its files in the folder `store` in here. */
  readonly dataDir: string
  /** First size of the memory map; it grows by itself. Address space, not memory. */
  readonly mapSizeBytes?: number
  /** Transactions of history that are kept although they are older than `historyMaxAgeMs`. */
  readonly historyMaxChanges?: number
  /** History younger than this is kept, up to ten times `historyMaxChanges`; at most an hour. */
  readonly historyMaxAgeMs?: number
  readonly watchBounds?: Bounds
  readonly log?: Pick<Logger, 'info' | 'warn'>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface EmbeddedStore extends Store {
  /** Compacts now as it would do by itself within seconds. */
  tidy(): Promise<void>
}

interface Parts {
  readonly tables: Tables
  readonly reader: LmdbReader
  readonly hub: WatchHub
  readonly group: GroupCommit
  readonly keeping: Housekeeping
  readonly release: () => void
}

/** The folder below the data directory in which the files lie. */
export function storeFolder(dataDir: string): string {
  return join(dataDir, 'store')
}

/** Where a restore builds what is to become the store; there only while one is under way or was broken off. */
export function restoringFolder(dataDir: string): string {
  return `${storeFolder(dataDir)}.restoring`
}

/** Also where the store from before still stands: somebody wants it replaced. */
function refuseHalfRestored(dataDir: string): void {
  const folder = restoringFolder(dataDir)
  if (!existsSync(folder)) return
  const otherwise = existsSync(storeFolder(dataDir)) ? 'keep the store as it was' : 'begin with an empty store'
  throw new Error(
    `a restore into ${dataDir} is under way or was broken off: run it again, or remove ${folder} to ${otherwise}`,
  )
}

/**
 * Opens the store in `dataDir`, creating it where there is none. Throws when another process has it open, or when its
 * files were written by a newer version.
 */
export async function openEmbeddedStore(options: EmbeddedOptions): Promise<EmbeddedStore> {
  const folder = storeFolder(options.dataDir)
  refuseHalfRestored(options.dataDir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const release = takeOwnership(join(folder, 'owner'))
  try {
    const parts = await openParts(options, folder, release)
    await syncFolder(folder)
    await syncFolder(options.dataDir)
    return storeOf(parts)
  } catch (error) {
    release()
    throw error
  }
}

async function openParts(options: EmbeddedOptions, folder: string, release: () => void): Promise<Parts> {
  const tables = openTables(folder, options.mapSizeBytes)
  try {
    const reader = new LmdbReader(tables)
    const hub = watchHub(options.watchBounds ?? DEFAULT_BOUNDS)
    const writer = new LmdbWriter({ tables, reader, hub, folder })
    await bringUpToFormat({ tables, reader, writer, log: options.log })
    const group = groupCommit((batch) => writer.commit(batch))
    const policy = {
      historyMaxChanges: options.historyMaxChanges ?? 100_000,
      historyMaxAgeMs: Math.min(options.historyMaxAgeMs ?? 300_000, HISTORY_NEVER_LATER_THAN_MS),
    }
    const { log, now = Date.now } = options
    const keeping = housekeeping({ tables, reader, writer, group, policy, log, now })
    return { tables, reader, hub, group, keeping, release }
  } catch (error) {
    await tables.root.close()
    throw error
  }
}

function storeOf({ tables, reader, hub, group, keeping, release }: Parts): EmbeddedStore {
  const name = tables.meta.get('cluster')?.toString() ?? ''
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    keeping.stop()
    await group.close()
    hub.close(new UnavailableError('the store is closed'))
    await tables.root.close()
    release()
  }
  return {
    get revision() {
      return reader.revision
    },
    async get(key, { at, signal } = {}) {
      signal?.throwIfAborted()
      return at === undefined ? reader.get(key) : reader.getAt(key, at)
    },
    async list(range, { at, limit = Number.POSITIVE_INFINITY, signal } = {}) {
      signal?.throwIfAborted()
      return at === undefined ? reader.list(range, limit) : reader.listAt(range, at, limit)
    },
    async readRevision({ signal } = {}) {
      signal?.throwIfAborted()
      return reader.revision
    },
    async txn(transaction, { signal } = {}) {
      checkTransaction(transaction)
      return group.submit(transaction, signal)
    },
    watch: (range, options) => follow(reader, hub, range, options),
    compact: (before, { signal } = {}) => keeping.compact(before < reader.revision ? before : reader.revision, signal),
    async everything({ signal } = {}) {
      signal?.throwIfAborted()
      return { ...reader.everything(), store: name }
    },
    snapshot: (file, options) => writeSnapshot(file, { ...reader.everything(), store: name }, options),
    tidy: () => keeping.tidy(),
    [Symbol.asyncDispose]: () => {
      closing ??= close()
      return closing
    },
  }
}
