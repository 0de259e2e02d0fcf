/**
 * The embedded store of a control plane that has moved to an etcd. It is put aside: a server started without `--store etcd`
 * would serve it, older than what clients have seen, and a backup would take it for the present.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { storeFolder } from '../../api-server/store/embedded.ts'
import { takeOwnership } from '../../api-server/store/owner-lock.ts'

export interface Moved<T> {
  readonly done: T
  /** Where the store is now, if there was one. */
  readonly aside?: string
}

/** Runs `move` while no server can open the store in `dataDir`. Throws where one has it open. */
export async function puttingAside<T>(dataDir: string, move: () => Promise<T>): Promise<Moved<T>> {
  const folder = storeFolder(dataDir)
  if (!existsSync(folder)) return { done: await move() }
  const aside = `${folder}.moved-to-etcd`
  const release = takeOwnership(join(folder, 'owner'))
  try {
    const done = await move()
    rmSync(aside, { recursive: true, force: true })
    renameSync(folder, aside)
    rmSync(join(aside, 'owner'), { force: true })
    return { done, aside }
  } finally {
    release()
  }
}
