/**
 * One process at a time writes a store. The lock is a file that names its owner: process, the tick at which it started
 * and the boot, so that the lock of a killed process or of an earlier boot is recognised and replaced. Processes of
 * different PID namespaces do not see each other here: do not give two containers the same folder.
 */

import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Field 22 of /proc/PID/stat, counted after the command name, which may hold spaces and parentheses. */
function startTick(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined // no such process
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function holds(owner: string): boolean {
  const [pid = '', tick, boot] = owner.split(' ')
  return /^\d+$/.test(pid) && boot === bootId() && tick !== undefined && tick === startTick(pid)
}

function readOwner(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined // gone: its owner has just given it back
  }
}

/** Creates `path` with its content in one step; false when it exists. */
function create(path: string, content: string): boolean {
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, content, { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft)
  }
}

/** Takes a dead owner's lock away, unless somebody else has replaced it meanwhile: then it is put back. */
function removeStale(path: string, owner: string): void {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch {
    return // another process was quicker to take it away
  }
  if (readOwner(aside) !== owner) create(path, readFileSync(aside, 'utf8'))
  rmSync(aside)
}

/** Locks that this process holds; one of ours that is not among them could not be removed when it was given back. */
const held = new Set<string>()

/**
 * Takes the lock at `path` or throws an error that names the process which holds it. Returns its release, which never
 * throws: a disk that has turned read-only keeps the file, and the next owner sees that it is stale.
 */
export function takeOwnership(path: string): () => void {
  const self = `${process.pid} ${startTick(String(process.pid))} ${bootId()}`
  while (!create(path, self)) {
    const owner = readOwner(path)
    if (owner !== undefined && holds(owner) && (owner !== self || held.has(path))) {
      throw new Error(`the store is in use by process ${owner.split(' ')[0]} (lock file ${path})`)
    }
    if (owner !== undefined) removeStale(path, owner)
  }
  held.add(path)
  return () => {
    held.delete(path)
    removeIfPossible(path)
  }
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // EROFS, EIO: the file stays, and names a process that does not hold it any more.
  }
}
