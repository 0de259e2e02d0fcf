/**
 * The objects that this machine holds, one file each, so that it can start them when no server answers.
 *
 * A copy is durable before anything is done with it: written beside its place, fsynced, renamed, and the folder fsynced
 * once for a whole batch. A file cut short by a power loss never has the final name.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiObject } from '../../crds/kind.ts'
import { syncFolder, writeSynced } from './durable-file.ts'

export interface Copies<T extends ApiObject> {
  /** Everything kept, by uid. Files that cannot be read as an object are passed to `onDamaged` and left alone. */
  load(onDamaged: (file: string, error: unknown) => void): Promise<ReadonlyMap<string, T>>
  /** Resolves when all of them are on disk. Rejects when one is not: then none may be acted on. */
  keep(objects: readonly T[]): Promise<void>
  forget(uids: readonly string[]): Promise<void>
}

const UID = /^[0-9A-Za-z-]{1,64}$/

/** Copies of one kind in `<dataDir>/agent/objects/<kind>`. */
export function openCopies<T extends ApiObject>(dataDir: string, kind: string): Copies<T> {
  const folder = join(dataDir, 'agent', 'objects', kind)
  return {
    load: (onDamaged) => load<T>(folder, onDamaged),
    keep: async (objects) => {
      if (objects.length === 0) return
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await Promise.all(
        objects.map((object) => writeSynced(fileOf(folder, object.metadata.uid), JSON.stringify(object))),
      )
      await syncFolder(folder)
    },
    forget: async (uids) => {
      await Promise.all(uids.map((uid) => rm(fileOf(folder, uid), { force: true })))
    },
  }
}

async function load<T extends ApiObject>(
  folder: string,
  onDamaged: (file: string, error: unknown) => void,
): Promise<ReadonlyMap<string, T>> {
  const copies = new Map<string, T>()
  for (const file of await listJson(folder)) {
    try {
      const object = JSON.parse(await readFile(join(folder, file), 'utf8')) as T
      if (object.metadata.uid !== undefined) copies.set(object.metadata.uid, object)
    } catch (error) {
      onDamaged(join(folder, file), error)
    }
  }
  return copies
}

async function listJson(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => file.endsWith('.json')).toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new Error(`reading the copies in ${folder}`, { cause: error })
  }
}

/** A uid is the server's word and becomes a file name: nothing but a uid's letters gets through. */
function fileOf(folder: string, uid: string | undefined): string {
  if (uid === undefined || !UID.test(uid)) throw new Error(`not a uid: ${JSON.stringify(uid)}`)
  return join(folder, `${uid}.json`)
}
