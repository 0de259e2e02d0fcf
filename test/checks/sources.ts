import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Source {
  /** Relative to the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

const run = promisify(execFile)
const LIST_TIMEOUT_MS = 10_000
const LIST_MAX_BYTES = 16 * 1024 * 1024

async function read(root: string, path: string): Promise<Source | undefined> {
  try {
    const text = await readFile(join(root, path), 'utf8')
    return text.includes('\0') ? undefined : { path, text }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR') return undefined // removed but still in the index; a submodule or link
    throw error
  }
}

/** Every text file of the repository, tracked or about to be, as git sees it. */
export async function repositorySources(root: string): Promise<Source[]> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { stdout } = await run('git', args, { cwd: root, timeout: LIST_TIMEOUT_MS, maxBuffer: LIST_MAX_BYTES })
  const paths = [...new Set(stdout.split('\0').filter((path) => path !== ''))].sort()
  const sources = await Promise.all(paths.map((path) => read(root, path)))
  return sources.filter((source) => source !== undefined)
}
