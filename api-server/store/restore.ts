/**
 * Turns a snapshot file into the files of an embedded store. They are built aside and take their place only when the
 * whole snapshot was read and its checksum is right, so a damaged one changes nothing.
 */

import { existsSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { openEmbeddedStore, storeFolder } from './embedded.ts'
import { FORMAT } from './format.ts'
import { addressOf, encodeNumber, encodePointer, encodeRecord, openTables, type Tables } from './lmdb-layout.ts'
import { readSnapshot, type SnapshotSummary } from './snapshot-file.ts'
import type { KeyValue, Revision } from './store.ts'
import { syncFolder } from './sync-folder.ts'

const BATCH_KEYS = 1_000

/** Puts keys into empty tables, keeping their revisions; several of one revision get places of their own. */
function keyWriter({ root, keys, log }: Tables) {
  const places = new Map<Revision, number>()
  let puts: (() => void)[] = []

  function add({ key, value, created, modified }: KeyValue): void {
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
  }
  return {
    async put(item: KeyValue): Promise<void> {
      add(item)
      if (puts.length >= BATCH_KEYS) await flush()
    },
    flush,
  }
}

async function fill(tables: Tables, file: string, signal?: AbortSignal): Promise<SnapshotSummary> {
  const writer = keyWriter(tables)
  const summary = await readSnapshot(file, (item) => writer.put(item), signal)
  await writer.flush()
  const revision = encodeNumber(summary.revision)
  const format = encodeNumber(FORMAT)
  await tables.root.batch(() => {
    void tables.meta.put('revision', revision)
    // A snapshot has no history: the oldest revision that can be read is its own.
    void tables.meta.put('compacted', revision)
    void tables.meta.put('format', format)
  })
  return summary
}

/**
 * Restores `file` into `dataDir`, which must not hold a store yet. The revision goes on from the snapshot's. Throws
 * `SnapshotError` when the file is not a whole snapshot, and leaves nothing behind then.
 */
export async function restoreSnapshot(file: string, dataDir: string, signal?: AbortSignal): Promise<SnapshotSummary> {
  const folder = storeFolder(dataDir)
  if (existsSync(folder)) throw new Error(`${dataDir} already holds a store: restore into an empty data directory`)
  const aside = `${folder}.restoring`
  await rm(aside, { recursive: true, force: true })
  const summary = await build(aside, file, signal)
  renameSync(aside, folder)
  await syncFolder(dataDir)
  await openOnce(dataDir)
  return summary
}

/** Proves that the result opens before anybody relies on it. */
async function openOnce(dataDir: string): Promise<void> {
  const store = await openEmbeddedStore({ dataDir })
  await store[Symbol.asyncDispose]()
}

async function build(folder: string, file: string, signal?: AbortSignal): Promise<SnapshotSummary> {
  const tables = openTables(folder)
  let summary: SnapshotSummary | undefined
  try {
    summary = await fill(tables, file, signal)
  } finally {
    await tables.root.close()
    if (summary === undefined) await rm(folder, { recursive: true, force: true })
  }
  await syncFolder(folder)
  return summary
}
