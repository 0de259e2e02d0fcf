import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The runner gives each test file a folder of its own, so that even a killed file leaves nothing behind. */
export const TEMP_ROOT = process.env.FLOTILLA_TEST_TMP ?? tmpdir()
const made: string[] = []

/** Mount points at or below `dir`, innermost last. */
export function mountsBelow(dir: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mount) => mount === dir || mount.startsWith(`${dir}/`))
}

/**
 * Removes a folder and all in it. Refuses, by throwing, while something is mounted inside: deleting through a bind
 * mount would delete what the mount shows.
 */
export function removeTree(dir: string): void {
  const mounts = mountsBelow(dir)
  if (mounts.length > 0) throw new Error(`not removing ${dir}: still mounted: ${mounts.join(', ')}`)
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
}

function removeAll(): void {
  for (const dir of made.splice(0)) {
    try {
      removeTree(dir)
    } catch (error) {
      console.error(String(error))
      process.exitCode = 1
    }
  }
}

/** A new empty folder (short path: sockets fit in it), removed when the test process exits. */
export function tempDir(): string {
  if (made.length === 0) process.once('exit', removeAll)
  const dir = mkdtempSync(join(TEMP_ROOT, 'fl-'))
  made.push(dir)
  return dir
}
