import { randomBytes } from 'node:crypto'
import { open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/
const ABANDONED_AFTER_MS = 60_000

/**
 * Replaces a file so that a crash at any moment leaves the old bytes or the new ones, never a part, and so that the
 * new ones are on disk when the promise settles. `mode` holds from the first byte on: secrets are never briefly public.
 */
export async function writeDurable(path: string, bytes: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeSynced(temporary, bytes, mode)
    await rename(temporary, path)
  } catch (cause) {
    await unlink(temporary).catch(() => undefined) // never created, or already renamed: nothing to tidy
    throw new Error(`writing ${path}`, { cause })
  }
  await syncFolder(dirname(path))
}

/** Removes what killed writers left in a folder. Younger leftovers stay: their writer may be alive. */
export async function sweepTemporaries(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY.test(name)) continue
    const { mtimeMs } = await stat(join(folder, name))
    if (nowMs - mtimeMs > ABANDONED_AFTER_MS) await unlink(join(folder, name))
  }
}

async function writeSynced(path: string, bytes: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.chmod(mode) // the umask may have taken bits away
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
