/**
 * What the next agent must know of the services: one small file each, plus a lock so that two agents never supervise the
 * same services. Nothing is fsynced: after a power loss the processes are gone too, and the boot id tells.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isUnitName } from '../unit-name.ts'
import { type LifeState, NEVER_STARTED } from './life-state.ts'
import { readProcess } from './process-table.ts'

const LOCK = 'agent.lock'
const SUFFIX = '.json'

export interface Records {
  load(): ReadonlyMap<string, LifeState>
  /** Synchronous: a state must be down before the process it speaks of can exist. */
  save(unit: string, state: LifeState): void
  remove(unit: string): void
  unlock(): void
}

/** Throws when a living agent holds the folder. */
export function openRecords(dir: string, bootId: string): Records {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  lock(join(dir, LOCK))
  const pathOf = (unit: string) => join(dir, unit + SUFFIX)
  return {
    load() {
      const units = readdirSync(dir)
        .filter((file) => file.endsWith(SUFFIX))
        .map((file) => file.slice(0, -SUFFIX.length))
      return new Map(units.filter(isUnitName).flatMap((unit) => readRecord(pathOf(unit), bootId, unit)))
    },
    save(unit, state) {
      const temp = join(dir, `.${unit}`)
      writeFileSync(temp, JSON.stringify({ bootId, state }), { mode: 0o600 })
      renameSync(temp, pathOf(unit))
    },
    remove: (unit) => rmSync(pathOf(unit), { force: true }),
    unlock: () => rmSync(join(dir, LOCK), { force: true }),
  }
}

function readRecord(path: string, bootId: string, unit: string): [string, LifeState][] {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as { bootId?: string; state?: Partial<LifeState> }
    return record.bootId === bootId ? [[unit, { ...NEVER_STARTED, ...record.state }]] : []
  } catch {
    // A record that cannot be read says nothing; the unit starts from "never started".
    return []
  }
}

/** Pid and start time, so that a dead agent's number given to another process does not lock for ever. */
function lock(path: string): void {
  const mine = `${process.pid} ${readProcess(process.pid)?.startTicks ?? 0}`
  const holder = readHolder(path)
  const [pid = 0, startTicks] = holder.split(' ').map(Number)
  if (holder !== mine && pid > 0 && readProcess(pid)?.startTicks === startTicks) {
    throw new Error(`process ${pid} supervises these services already (${path})`)
  }
  writeFileSync(path, mine, { mode: 0o600 })
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // No lock, or none that can be read: nobody holds it.
    return ''
  }
}
