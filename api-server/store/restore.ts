/**
 * Turns a backup into the files of an embedded store. It is read to its end before anything is written; then the files
 * are built aside and take their place in one step. While they are built nobody can open a store there, so a restore that
 * was killed is simply run again.
 *
 * Keys keep their order of change but get later revisions, all above the floor (floor.ts); all before them counts as
 * compacted. Who still holds an older one lists anew, and is never told something false.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { restoringFolder, storeFolder } from './embedded.ts'
import { beginning } from './format.ts'
import { addressOf, encodeNumber, encodePointer, encodeRecord, openTables, type Tables } from './lmdb-layout.ts'
import { LmdbReader } from './lmdb-reader.ts'
import { takeOwnership } from './owner-lock.ts'
import { readSnapshot, type SnapshotSummary, type StoredFile, type Verified, verifySnapshot } from './snapshot/file.ts'
import { floorAfter } from './snapshot/floor.ts'
import type { KeyValue, Revision } from './store.ts'
import { syncFolder } from './sync-folder.ts'

export interface RestoreOptions {
  readonly secret?: Uint8Array
  readonly signal?: AbortSignal
  /** What `verifySnapshot` has said of the file already; else it is asked. */
  readonly verified?: Verified
  /** Replaces a store that is there; without it one is refused. */
  readonly force?: boolean
  /** Called as keys are written. */
  readonly onProgress?: (progress: Progress) => void
  /** Gets the files of the backup, in time: where it fails nothing was restored. */
  readonly onFiles?: (files: readonly StoredFile[]) => Promise<void>
  /** Milliseconds since 1970. */
  readonly nowMs?: number
}

export interface Progress {
  readonly written: number
  readonly keys: number
}

const BATCH_KEYS = 1_000

/** Puts keys into empty tables, `raise` above their revisions; several of one revision get places of their own. */
function keyWriter({ root, keys, log }: Tables, raise: Revision, onBatch: (keys: number) => void) {
  const places = new Map<Revision, number>()
  let puts: (() => void)[] = []

  function add(item: KeyValue): void {
    const { key, value } = item
    const [created, modified] = [item.created + raise, item.modified + raise]
    const place = places.get(modified) ?? 0
    places.set(modified, place + 1)
    const record = encodeRecord({ type: 'put', key, value, created, before: undefined })
    const pointer = encodePointer({ created, modified, place })
    const address = addressOf(modified, place)
    puts.push(() => {
      void log.put(address, record)
      void keys.put(key, pointer)
    })
  }
  async function flush(): Promise<void> {
    const due = puts
    puts = []
    await root.batch(() => {
      for (const put of due) put()
    })
    onBatch(due.length)
  }
  return {
    async put(item: KeyValue): Promise<void> {
      add(item)
      if (puts.length >= BATCH_KEYS) await flush()
    },
    flush,
  }
}

interface Plan {
  readonly file: string
  readonly raise: Revision
  readonly revision: Revision
  readonly options: RestoreOptions
}

async function fill(tables: Tables, { file, raise, revision, options }: Plan, keys: number): Promise<void> {
  let written = 0
  const writer = keyWriter(tables, raise, (count) => {
    written += count
    options.onProgress?.({ written, keys })
  })
  await readSnapshot(file, { onItem: (item) => writer.put(item) }, options)
  await writer.flush()
  const newest = encodeNumber(revision)
  await tables.root.batch(() => {
    for (const put of beginning(tables)) put()
    void tables.meta.put('revision', newest)
    // A backup has no history: the oldest revision that can be read is its own.
    void tables.meta.put('compacted', newest)
  })
}

/**
 * Restores `file` into `dataDir`. Throws `SnapshotError` when the file is not whole or the secret does not fit, and an
 * error that says what to do where a store is there already (without `force`) or somebody has it open (in any case);
 * nothing has changed then. Resolves with the revision at which the new store begins.
 */
export async function restoreSnapshot(
  file: string,
  dataDir: string,
  options: RestoreOptions = {},
): Promise<SnapshotSummary> {
  const verified = options.verified ?? (await verifySnapshot(file, options))
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const release = takeOwnership(join(dataDir, 'restore.owner'))
  try {
    return await whileNobodyHasIt(dataDir, options, async (earlier) => {
      const plan = planOf(file, verified, earlier ?? 0n, options)
      await replace(dataDir, plan, verified, earlier !== undefined)
      return { revision: plan.revision, keys: verified.keys }
    })
  } finally {
    release()
  }
}

/** Runs `work` with the newest revision of the store that it replaces, undefined where there is none. */
async function whileNobodyHasIt<T>(
  dataDir: string,
  { force = false }: RestoreOptions,
  work: (earlier: Revision | undefined) => Promise<T>,
): Promise<T> {
  const folder = storeFolder(dataDir)
  if (!existsSync(folder)) return work(undefined)
  if (!force)
    throw new Error(
      `${dataDir} already holds a store: restore into another --data-dir, or give --force to replace what is there`,
    )
  const release = takeOwnership(join(folder, 'owner'))
  try {
    // Where it succeeds the lock has gone with the store that it belonged to.
    return await work(await newestOf(folder))
  } catch (error) {
    release()
    throw error
  }
}

async function newestOf(folder: string): Promise<Revision> {
  const tables = openTables(folder)
  try {
    return new LmdbReader(tables).revision
  } finally {
    await tables.root.close()
  }
}

function planOf(file: string, verified: Verified, earlier: Revision, options: RestoreOptions): Plan {
  const floor = floorAfter(verified, options.nowMs ?? Date.now())
  const raise = (floor > earlier ? floor : earlier) + 1n - verified.oldest
  return { file, raise, revision: verified.revision + raise, options }
}

async function replace(
  dataDir: string,
  plan: Plan,
  { keys, storedFiles }: Verified,
  isReplacing: boolean,
): Promise<void> {
  const folder = storeFolder(dataDir)
  const aside = restoringFolder(dataDir)
  const replaced = `${folder}.replaced`
  await rm(aside, { recursive: true, force: true })
  await rm(replaced, { recursive: true, force: true })
  try {
    await build(aside, plan, keys)
    await plan.options.onFiles?.(storedFiles)
    if (isReplacing) renameSync(folder, replaced)
    else if (existsSync(folder)) throw new Error(`somebody has begun a store in ${dataDir} meanwhile`)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    throw error
  }
  renameSync(aside, folder)
  await syncFolder(dataDir)
  await rm(replaced, { recursive: true, force: true })
}

async function build(folder: string, plan: Plan, keys: number): Promise<void> {
  const tables = openTables(folder)
  try {
    await fill(tables, plan, keys)
  } finally {
    await tables.root.close()
  }
  if ((await newestOf(folder)) !== plan.revision) throw new Error(`${folder} does not hold what was written to it`)
  await syncFolder(folder)
}
