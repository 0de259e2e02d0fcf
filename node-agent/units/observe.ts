/** Gathers what is wanted and what is there into the one picture that `plan` decides on. */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Unit } from '../../crds/unit.ts'
import { uidOf, unitNameOf } from './bound-units.ts'
import type { UnitDriver } from './driver.ts'
import type { Memory } from './memory.ts'
import type { Wanted, World } from './plan.ts'

export interface Circumstances {
  readonly machineName: string
  readonly epoch: string
  readonly online: boolean
  readonly units: readonly Readonly<Unit>[]
  readonly nowMs: number
}

type Observer = Pick<UnitDriver, 'installed' | 'observe' | 'unsupported'>

/** Rejects with DriverUnavailableError while the manager is away; nothing is forgotten then. */
export async function observe(driver: Observer, memory: Memory, now: Circumstances): Promise<World> {
  if (memory.isStale) await readInstalled(driver, memory)
  const wanted = now.units.map((unit) => wantedOf(unit, driver, memory, now))
  await readStates(driver, memory, wanted)
  memory.endStarts(now.nowMs)
  return {
    machineName: now.machineName,
    epoch: now.epoch,
    online: now.online,
    wanted,
    held: [...memory.copies.values()].map((copy) => ({
      uid: uidOf(copy),
      name: copy.metadata.name,
      unitName: unitNameOf(copy),
    })),
    records: memory.records,
    installed: memory.installed,
    observed: memory.observed,
    waiting: new Set([...memory.busy, ...refusedLately(wanted, memory, now.nowMs)]),
  }
}

function forget(name: string, { observed, hints }: Memory): void {
  observed.delete(name)
  hints.acted(name)
}

/** Of the content alone, as fleet's: equal files have equal hashes whatever their names. */
export function contentHash(content: string): string {
  return createHash('sha1').update(content).digest('hex')
}

/** What a refusal was about: with another spec the unit is tried at once. */
export function attemptKey(unit: Pick<Wanted, 'hash' | 'desired' | 'deleting'>): string {
  return `${unit.hash} ${unit.desired} ${unit.deleting}`
}

async function readInstalled(driver: Observer, memory: Memory): Promise<void> {
  const files = await driver.installed()
  memory.installed.clear()
  for (const [name, content] of files) memory.installed.set(name, contentHash(content))
}

async function readStates(driver: Observer, memory: Memory, wanted: readonly Wanted[]): Promise<void> {
  const relevant = new Set([
    ...wanted.map(({ unitName }) => unitName),
    ...memory.installed.keys(),
    ...[...memory.records.values()].map(({ unitName }) => unitName),
  ])
  const names = [...relevant].filter((name) => memory.isStale || memory.dirty.has(name) || !memory.observed.has(name))
  memory.isStale = false
  memory.dirty.clear()
  try {
    const seen = names.length > 0 ? await driver.observe(names) : []
    for (const [name, state] of seen) {
      const isChanged = !isDeepStrictEqual(memory.observed.get(name), state)
      memory.hints.looked(name, isChanged)
      if (isChanged) memory.observed.set(name, state)
    }
  } catch (error) {
    memory.isStale = true
    throw error
  }
  for (const name of memory.observed.keys()) if (!relevant.has(name)) forget(name, memory)
}

interface Known {
  readonly copy: Readonly<Unit> | undefined
  readonly online: boolean
  readonly wanted: Wanted
}

const known = new WeakMap<Readonly<Unit>, Known>()

/** Objects are immutable, and every round looks at all of them: each is hashed, compared and checked once. */
function wantedOf(unit: Readonly<Unit>, driver: Observer, memory: Memory, now: Circumstances): Wanted {
  const copy = memory.copies.get(uidOf(unit))
  const before = known.get(unit)
  if (before !== undefined && before.copy === copy && before.online === now.online) return before.wanted
  const wanted = readUnit(unit, driver, copy, now)
  known.set(unit, { copy, online: now.online, wanted })
  return wanted
}

function readUnit(
  unit: Readonly<Unit>,
  driver: Observer,
  copy: Readonly<Unit> | undefined,
  { online, machineName }: Circumstances,
): Wanted {
  const { content, failover, desiredState } = unit.spec
  const unitName = unitNameOf(unit)
  return {
    uid: uidOf(unit),
    name: unit.metadata.name,
    unitName,
    hash: contentHash(content),
    desired: desiredState,
    generation: unit.metadata.generation,
    createdAt: unit.metadata.creationTimestamp ?? '',
    holder: online ? (unit.status?.machineName ?? '') : machineName,
    deleting: unit.metadata.deletionTimestamp !== undefined,
    kept: copy !== undefined && isSameSpec(copy, unit),
    unsupported: driver.unsupported({ name: unitName, content }),
    startable: online || failover !== 'exclusive',
  }
}

function isSameSpec(copy: Readonly<Unit>, unit: Readonly<Unit>): boolean {
  return copy === unit || copy.spec === unit.spec || isDeepStrictEqual(copy.spec, unit.spec)
}

function refusedLately(wanted: readonly Wanted[], memory: Memory, nowMs: number): string[] {
  const keys = new Map(wanted.map((unit) => [unit.uid, attemptKey(unit)]))
  const waiting = [...memory.refusals].filter(
    ([uid, refusal]) => refusal.retryAtMs > nowMs && refusal.key === (keys.get(uid) ?? ''),
  )
  return waiting.map(([uid]) => uid)
}
