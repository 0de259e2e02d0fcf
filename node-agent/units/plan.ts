/**
 * What to do on this machine, decided purely: the same world always gives the same sorted actions, each with its reason.
 *
 * One step at a time is planned for a unit that has to go (stop, then remove, then release), because a service may take
 * minutes to stop and nothing else may wait for it; the next change of its state brings the next round. Long because all
 * steps share one world, and their order is the point.
 */
import { isRunning, isStopping } from './active-state.ts'
import type { ObservedUnit } from './driver.ts'
import type { Gate } from './fence/exclusive.ts'
import { beforeGate, type ExclusiveSight, isClaimable } from './fence/gate-plan.ts'
import type { Missing } from './render/sources.ts'

export type Desired = 'inactive' | 'loaded' | 'launched'

/** A Unit object bound to this machine, reduced to what decides. */
export interface Wanted {
  readonly uid: string
  readonly name: string
  readonly unitName: string
  /** With another one it is another unit, to be restarted: `restartHash`. */
  readonly hash: string
  /** Of all that should be installed, generated drop-ins too; undefined while something of it is missing. */
  readonly files: string | undefined
  /** Of the content alone, as status.hash reports it. */
  readonly contentHash: string
  readonly desired: Desired
  readonly createdAt: string
  readonly generation: number | undefined
  /** `status.machineName`: who holds it; '' is nobody. */
  readonly holder: string
  readonly deleting: boolean
  /** The copy on disk says what the object says. */
  readonly kept: boolean
  /** Why the driver cannot run this content at all. */
  readonly unsupported: string | undefined
  /** What it cannot be started without and is not there, in one sentence; it waits. */
  readonly missing: Missing | undefined
  /** False while nobody may start it: an exclusive unit while the API is away. */
  readonly startable: boolean
  /** Never to run twice: it stands behind a gate. */
  readonly exclusive?: ExclusiveSight
}

/** What this agent did with a unit; survives its restart. */
export interface UnitRecord {
  readonly uid: string
  readonly name: string
  readonly unitName: string
  readonly hash: string
  /** The boot (or the life of a driver without its own) in which it was done. */
  readonly epoch: string
  /** Started once with this hash in this epoch. */
  readonly started: boolean
}

/** A unit that this machine holds according to its own disk. */
export interface Held {
  readonly uid: string
  readonly name: string
  readonly unitName: string
}

/** What is on the disk of a unit, by its hashes. */
export interface Installed {
  readonly files: string
  readonly contentHash: string
}

export interface World {
  readonly machineName: string
  readonly epoch: string
  /** False while the objects come from the copies: then nothing is taken, stopped or given back. */
  readonly online: boolean
  readonly wanted: readonly Wanted[]
  readonly held: readonly Held[]
  readonly records: ReadonlyMap<string, UnitRecord>
  /** By unit name. */
  readonly installed: ReadonlyMap<string, Installed>
  readonly observed: ReadonlyMap<string, ObservedUnit>
  /** Of exclusive units, by uid. */
  readonly gates: ReadonlyMap<string, Gate>
  /** The machine's lease is good: exclusive units may be claimed. */
  readonly hasLease: boolean
  /** Uids that failed lately and wait for their next try. */
  readonly waiting: ReadonlySet<string>
}

export const VERBS = ['claim', 'keep', 'stop', 'remove', 'install', 'start', 'restart', 'release'] as const
export type Verb = (typeof VERBS)[number]

export interface Action {
  readonly do: Verb
  readonly uid: string
  readonly name: string
  readonly unitName: string
  readonly reason: string
}

interface Slots {
  /** Unit name to the uid that may have it. */
  readonly winners: ReadonlyMap<string, Wanted>
  /** Unit name to the record of the unit that has it now. */
  readonly occupants: ReadonlyMap<string, UnitRecord>
}

export function plan(world: World): Action[] {
  const slots = { winners: winners(world.wanted, world.records), occupants: occupants(world.records) }
  const actions = world.wanted.flatMap((unit) => planWanted(unit, world, slots))
  if (world.online) actions.push(...planDrops(world, slots), ...planReleases(world))
  return actions.filter((action) => !world.waiting.has(action.uid)).toSorted(byStage)
}

/** Of several Units with one name on this machine the oldest has it; of those made in one second, the one that is here. */
export function winners(
  wanted: readonly Wanted[],
  records: ReadonlyMap<string, UnitRecord>,
): ReadonlyMap<string, Wanted> {
  const oldest = new Map<string, Wanted>()
  for (const unit of wanted) {
    const other = oldest.get(unit.unitName)
    if (isWelcome(unit) && (other === undefined || isOlder(unit, other, records))) oldest.set(unit.unitName, unit)
  }
  return oldest
}

/** Running again after a stop by hand is not ours to decide: what counts is that we started it once. */
export function wasStarted(record: UnitRecord | undefined, unit: Pick<Wanted, 'hash'>, epoch: string): boolean {
  return record?.started === true && record.hash === unit.hash && record.epoch === epoch
}

function planWanted(unit: Wanted, world: World, slots: Slots): Action[] {
  if (!isWelcome(unit)) return []
  if (unit.holder === '') return isClaimable(unit, world) ? [act('claim', unit, 'placed here and held by nobody')] : []
  if (unit.holder !== world.machineName) return []
  const keep = unit.kept ? [] : [act('keep', unit, 'the copy on disk is missing or old')]
  const occupant = slots.occupants.get(unit.unitName)
  const slotIsFree = occupant === undefined || occupant.uid === unit.uid
  if (!slotIsFree || slots.winners.get(unit.unitName) !== unit || unit.unsupported !== undefined) return keep
  return [...keep, ...planRun(unit, world)]
}

function planRun(unit: Wanted, world: World): Action[] {
  const installed = world.installed.get(unit.unitName)?.files
  const record = world.records.get(unit.uid)
  // What runs goes on with what it has: only the next start needs what is missing.
  if (unit.missing !== undefined) return unit.desired === 'loaded' ? planLoaded(unit, world) : []
  const first = beforeGate(unit, world)
  if (first !== undefined) return first === 'wait' ? [] : [act(first.do, unit, first.reason)]
  const install = installReason(unit, installed, record, world.epoch)
  return [
    ...(unit.desired === 'loaded' ? planLoaded(unit, world) : planLaunched(unit, world, installed)),
    ...(install === undefined ? [] : [act('install', unit, install)]),
  ]
}

/** After a boot the files are still there, but what made them known to the manager was not meant to last. */
function installReason(unit: Wanted, installed: string | undefined, record: UnitRecord | undefined, epoch: string) {
  if (installed === undefined) return 'not installed'
  if (installed !== unit.files) return 'content changed'
  if (record === undefined) return 'installed before, not on record'
  return record.epoch === epoch ? undefined : 'first time in this boot'
}

/**
 * Stops what we started, also if it has ended by itself: a later `launched` then starts it again. What its timer or its
 * socket started is left alone, for that is what such a service is loaded for (fleet did the same).
 */
function planLoaded(unit: Wanted, world: World): Action[] {
  if (isStopping(world.observed.get(unit.unitName))) return []
  return world.records.get(unit.uid)?.started === true ? [act('stop', unit, 'only loaded is desired')] : []
}

/**
 * Started once per content and boot; starting what runs already is success. Files that differ in what was generated alone
 * (a ConfigMap's new value) are installed and count from the next start. Without a record nobody knows what differs.
 */
function planLaunched(unit: Wanted, world: World, installed: string | undefined): Action[] {
  const record = world.records.get(unit.uid)
  const isNew = installed !== undefined && installed !== unit.files && record?.hash !== unit.hash
  const ranOld = record?.started === true && record.epoch === world.epoch && record.hash !== unit.hash
  if (!unit.startable) return []
  if (isNew || ranOld) return [act('restart', unit, 'content changed')]
  if (installed !== undefined && wasStarted(record, unit, world.epoch)) return []
  if (isStopping(world.observed.get(unit.unitName))) return []
  return [act('start', unit, 'launched is desired')]
}

/** Everything installed that no welcome Unit stands for any more. */
function planDrops(world: World, slots: Slots): Action[] {
  const byUid = new Map(world.wanted.map((unit) => [unit.uid, unit]))
  const drops = [...world.records.values()].flatMap((record) => {
    const reason = dropReason(record, byUid.get(record.uid), world, slots)
    return reason === undefined ? [] : drop(record, reason, world)
  })
  const known = new Set([...slots.occupants.keys(), ...slots.winners.keys()])
  const strays = [...world.installed.keys()].filter((unitName) => !known.has(unitName))
  return [
    ...drops,
    ...strays.flatMap((unitName) => drop({ uid: `stray:${unitName}`, name: unitName, unitName }, 'no object', world)),
  ]
}

function dropReason(record: UnitRecord, unit: Wanted | undefined, world: World, slots: Slots): string | undefined {
  if (unit === undefined) return 'deleted or placed elsewhere'
  if (unit.deleting) return 'being deleted'
  if (unit.desired === 'inactive') return 'inactive is desired'
  if (unit.holder !== '' && unit.holder !== world.machineName) return `held by ${unit.holder}`
  if (slots.winners.get(record.unitName) !== unit) return 'an older Unit has this name'
  return unit.unsupported === undefined ? undefined : 'the driver cannot run its content'
}

function drop(unit: Held, reason: string, world: World): Action[] {
  const seen = world.observed.get(unit.unitName)
  if (isStopping(seen)) return []
  return [act(isRunning(seen) ? 'stop' : 'remove', unit, reason)]
}

/** Units that we hold, that are gone from this machine, and whose object should say so. */
function planReleases(world: World): Action[] {
  const byUid = new Map(world.wanted.map((unit) => [unit.uid, unit]))
  const heldOnDisk = world.held.filter((held) => {
    const unit = byUid.get(held.uid)
    return unit === undefined || !isWelcome(unit) || (unit.holder !== '' && unit.holder !== world.machineName)
  })
  const onDisk = new Set(world.held.map((held) => held.uid))
  const heldByName = world.wanted.filter(
    (unit) => !isWelcome(unit) && unit.holder === world.machineName && !onDisk.has(unit.uid),
  )
  return [...heldOnDisk, ...heldByName]
    .filter((unit) => !world.records.has(unit.uid) && !isStray(unit.unitName, world))
    .map((unit) => act('release', unit, 'nothing of it is left here'))
}

/** Installed, and no record says for whom: it may be this one that still runs. */
function isStray(unitName: string, { installed, records }: World): boolean {
  return installed.has(unitName) && ![...records.values()].some((record) => record.unitName === unitName)
}

function occupants(records: ReadonlyMap<string, UnitRecord>): ReadonlyMap<string, UnitRecord> {
  return new Map([...records.values()].map((record) => [record.unitName, record]))
}

function isWelcome(unit: Wanted): boolean {
  return unit.desired !== 'inactive' && !unit.deleting
}

function isOlder(one: Wanted, other: Wanted, records: ReadonlyMap<string, UnitRecord>): boolean {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt
  if (records.has(one.uid) !== records.has(other.uid)) return records.has(one.uid)
  return one.name < other.name
}

function act(verb: Verb, unit: Held, reason: string): Action {
  return { do: verb, uid: unit.uid, name: unit.name, unitName: unit.unitName, reason }
}

function byStage(one: Action, other: Action): number {
  const stages = VERBS.indexOf(one.do) - VERBS.indexOf(other.do)
  if (stages !== 0) return stages
  if (one.unitName !== other.unitName) return one.unitName < other.unitName ? -1 : 1
  return one.uid < other.uid ? -1 : one.uid === other.uid ? 0 : 1
}
