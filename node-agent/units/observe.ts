/** Gathers what is wanted and what is there into the one picture that `plan` decides on. */
import { isDeepStrictEqual } from 'node:util'
import type { Unit } from '../../crds/unit.ts'
import { isKeptUntilStopped } from '../../crds/unit-exclusive.ts'
import { uidOf, unitNameOf } from './bound-units.ts'
import type { UnitDriver, UnitFile } from './driver.ts'
import { forgetFailedStarts } from './failed-starts.ts'
import { type Exclusive, isExclusive } from './fence/exclusive.ts'
import type { Memory } from './memory.ts'
import type { Wanted, World } from './plan.ts'
import { contentHash, filesHash, restartHash } from './render/hashes.ts'
import { type GeneratedDropIn, renderUnit, unsupportedFields } from './render/render-unit.ts'
import { missingSources, type Sources } from './render/sources.ts'

export interface Circumstances {
  readonly machineName: string
  readonly epoch: string
  readonly online: boolean
  readonly units: readonly Readonly<Unit>[]
  readonly nowMs: number
  /** The same object as long as nothing in it has changed. */
  readonly sources: Sources
  /** Drop-ins that the agent adds to a unit; the same array as long as they are the same. */
  readonly generated: (unit: Readonly<Unit>) => readonly GeneratedDropIn[]
  readonly exclusive: Pick<Exclusive, 'look' | 'refusal' | 'term'>
}

/** A world, and the files that its units are to have. */
export interface Scene extends World {
  /** By uid; none for a unit that waits for something. */
  readonly files: ReadonlyMap<string, UnitFile>
}

type Observer = Pick<UnitDriver, 'kind' | 'installed' | 'observe' | 'unsupported'>

/** Rejects with DriverUnavailableError while the manager is away; nothing is forgotten then. */
export async function observe(driver: Observer, memory: Memory, now: Circumstances): Promise<Scene> {
  if (memory.isStale) await readInstalled(driver, memory)
  const looks = now.units.map((unit) => look(unit, driver, memory, now))
  const wanted = looks.map((each) => each.wanted)
  await readStates(driver, memory, wanted)
  const gates = await now.exclusive.look(wanted.filter(({ exclusive }) => exclusive).map(({ uid }) => uid))
  memory.endStarts(now.nowMs)
  forgetFailedStarts(memory)
  return {
    machineName: now.machineName,
    epoch: now.epoch,
    online: now.online,
    wanted,
    files: new Map(looks.flatMap(({ wanted: { uid }, file }) => (file ? [[uid, file] as const] : []))),
    held: [...memory.copies.values()].map((copy) => ({
      uid: uidOf(copy),
      name: copy.metadata.name,
      unitName: unitNameOf(copy),
    })),
    records: memory.records,
    installed: memory.installed,
    observed: memory.observed,
    gates,
    hasLease: now.exclusive.term() !== undefined,
    waiting: new Set([...memory.busy, ...refusedLately(wanted, memory, now.nowMs)]),
  }
}

function forget(name: string, { observed, hints }: Memory): void {
  observed.delete(name)
  hints.acted(name)
}

/** What a refusal was about: with another spec the unit is tried at once. */
export function attemptKey(unit: Pick<Wanted, 'hash' | 'files' | 'desired' | 'deleting'>): string {
  return `${unit.hash} ${unit.files} ${unit.desired} ${unit.deleting}`
}

async function readInstalled(driver: Observer, memory: Memory): Promise<void> {
  const files = await driver.installed()
  memory.installed.clear()
  for (const [name, file] of files)
    memory.installed.set(name, { files: filesHash(file), contentHash: contentHash(file.content) })
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

/** What was made of an object, and of what else: the same as long as all of these are. */
interface Look {
  readonly madeOf: readonly unknown[]
  readonly wanted: Wanted
  readonly file: UnitFile | undefined
}

const known = new WeakMap<Readonly<Unit>, Look>()

/** Objects are immutable, and every round looks at all of them: each is rendered, hashed, compared and checked once. */
function look(unit: Readonly<Unit>, driver: Observer, memory: Memory, now: Circumstances): Look {
  const copy = memory.copies.get(uidOf(unit))
  const generated = now.generated(unit)
  const madeOf = [copy, generated, now.online, takesFromOthers(unit) && now.sources]
  const before = known.get(unit)
  if (before?.madeOf.every((part, index) => part === madeOf[index])) return before
  const fresh = { madeOf, ...readUnit(unit, driver, copy, generated, now) }
  known.set(unit, fresh)
  return fresh
}

function takesFromOthers({ spec }: Readonly<Unit>): boolean {
  return spec.environment !== undefined || spec.credentials !== undefined
}

function readUnit(
  unit: Readonly<Unit>,
  driver: Observer,
  copy: Readonly<Unit> | undefined,
  generated: readonly GeneratedDropIn[],
  { online, machineName, sources, exclusive }: Circumstances,
): Pick<Look, 'wanted' | 'file'> {
  const { content, desiredState } = unit.spec
  const isFenced = isExclusive(unit)
  const missing = missingSources(unit, sources)
  const file = renderUnit(unit, sources, generated)
  const wanted = {
    uid: uidOf(unit),
    name: unit.metadata.name,
    unitName: unitNameOf(unit),
    hash: restartHash(unit, generated),
    files: missing === undefined ? filesHash(file) : undefined,
    contentHash: contentHash(content),
    desired: desiredState,
    generation: unit.metadata.generation,
    createdAt: unit.metadata.creationTimestamp ?? '',
    holder: online ? (unit.status?.machineName ?? '') : machineName,
    deleting: unit.metadata.deletionTimestamp !== undefined,
    kept: copy !== undefined && isSameSpec(copy, unit),
    unsupported:
      unsupportedFields(unit, driver.kind) ??
      (isFenced ? exclusive.refusal(unit) : undefined) ??
      driver.unsupported(file),
    missing,
    startable: online || !isFenced,
    ...(isFenced && { exclusive: claimOf(unit) }),
  }
  return { wanted, file: missing === undefined ? file : undefined }
}

function claimOf(unit: Readonly<Unit>): NonNullable<Wanted['exclusive']> {
  return { claimable: isKeptUntilStopped(unit), confirmed: unit.status?.fencingToken !== undefined }
}

function isSameSpec(copy: Readonly<Unit>, unit: Readonly<Unit>): boolean {
  return copy === unit || copy.spec === unit.spec || isDeepStrictEqual(copy.spec, unit.spec)
}

/** What was refused of a spec that is no longer asked for is forgotten: the new one may be what runs already. */
function refusedLately(wanted: readonly Wanted[], memory: Memory, nowMs: number): string[] {
  const keys = new Map(wanted.map((unit) => [unit.uid, attemptKey(unit)]))
  for (const [uid, { key }] of memory.refusals) if (key !== (keys.get(uid) ?? '')) memory.refusals.delete(uid)
  return [...memory.refusals].filter(([, { retryAtMs }]) => retryAtMs > nowMs).map(([uid]) => uid)
}
