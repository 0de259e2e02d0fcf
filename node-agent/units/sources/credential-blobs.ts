/**
 * Secrets as they are kept on this machine: one encrypted file for each key of a Secret and credential name, below
 * `agent/credentials`. Its path stays the same when the value changes, so services take the new one at their next start
 * without anything being reloaded; a file is durable before anybody is told of it.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, writeSynced } from '../durable-file.ts'
import { limiter } from '../limiter.ts'
import { type SecretUse, useId } from './needs.ts'

export interface CredentialBlobs {
  pathOf(use: SecretUse): string
  has(use: SecretUse): boolean
  /** Resolves when it is on disk. */
  put(use: SecretUse, blob: string): Promise<void>
  /** Removes all others. */
  keepTo(uses: readonly SecretUse[]): Promise<void>
}

const SUFFIX = '.cred'

export async function openCredentialBlobs(dataDir: string): Promise<CredentialBlobs> {
  const folder = join(dataDir, 'agent', 'credentials')
  const present = new Set(await listFiles(folder))
  const fileOf = (use: SecretUse) => createHash('sha256').update(useId(use)).digest('hex').slice(0, 32) + SUFFIX
  const oneByOne = limiter(1)
  const pathOf = (use: SecretUse) => join(folder, fileOf(use))
  return {
    pathOf,
    has: (use) => present.has(fileOf(use)),
    put: (use, blob) =>
      oneByOne(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await writeSynced(pathOf(use), blob)
        await syncFolder(folder)
        present.add(fileOf(use))
      }),
    keepTo: (uses) =>
      oneByOne(async () => {
        const kept = new Set(uses.map(fileOf))
        const strays = [...present].filter((file) => !kept.has(file))
        await Promise.all(strays.map((file) => rm(join(folder, file), { force: true })))
        for (const file of strays) present.delete(file)
      }),
  }
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => file.endsWith(SUFFIX))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new Error(`reading the credentials in ${folder}`, { cause: error })
  }
}
