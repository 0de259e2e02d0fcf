/**
 * The loop of one machine: what is wanted, what is there, what follows. One round for all units, however many changes
 * asked for it; rounds never overlap. Running one twice changes nothing.
 *
 * Owns: everything the driver has installed. Reads: Units placed here. Writes: their status, through `holding` (who
 * holds it) and `statusWriter` (what became of it).
 */
import type { Unit } from '../../crds/unit.ts'
import { type ApplyDeps, apply } from './apply.ts'
import type { BoundUnits } from './bound-units.ts'
import { DriverUnavailableError, type UnitDriver } from './driver.ts'
import type { Exclusive } from './fence/exclusive.ts'
import type { Holding } from './holding.ts'
import { type Memory, START_SHOWS_WITHIN_MS } from './memory.ts'
import { type Circumstances, observe } from './observe.ts'
import { type Action, plan, type Wanted, type World, winners } from './plan.ts'
import type { GeneratedDropIn } from './render/render-unit.ts'
import type { UnitSources } from './sources/index.ts'
import { report, type UnitReport } from './status.ts'
import type { StatusWriter } from './status-writer.ts'

export interface ReconcilerDeps extends Omit<ApplyDeps, 'unit'> {
  readonly driver: UnitDriver
  readonly machineName: string
  readonly epoch: string
  readonly isOnline: () => boolean
  readonly units: BoundUnits
  readonly holding: Holding
  readonly sources: UnitSources['of']
  readonly generated: (unit: Readonly<Unit>) => readonly GeneratedDropIn[]
  readonly exclusive: Exclusive
  readonly statusWriter: () => StatusWriter
  /** The manager answered (undefined) or is away, in its words. */
  readonly onDriver: (trouble: string | undefined) => void
}

export interface RoundResult {
  /** Another round has work at once: something was changed and should be looked at. */
  readonly again: boolean
  /** Look again after so long at the latest. */
  readonly afterMs: number
}

export interface Reconciler {
  /** One round. Rejects never: trouble is logged, reported, and met again in the next round. */
  round(): Promise<RoundResult>
  reportOf(uid: string): UnitReport | undefined
}

const SLOW_MS = 10_000
const RETRY_MS = 1_000

export function createReconciler(deps: ReconcilerDeps): Reconciler {
  let picture: Picture | undefined
  let considered: ReadonlyMap<string, Sight> = new Map()
  const unit = (uid: string) => (deps.isOnline() ? deps.units.get(uid) : deps.memory.copies.get(uid))
  const act = async (): Promise<RoundResult> => {
    const world = await observe(deps.driver, deps.memory, circumstances(deps))
    deps.onDriver(undefined)
    const actions = plan(world)
    for (const action of actions) if (action.do === 'claim' || action.do === 'release') deps.holding.begin(action)
    const local = actions.filter(({ do: verb }) => verb !== 'claim' && verb !== 'release')
    await apply(local, world, { ...deps, unit })
    picture = pictureOf(world, deps.memory)
    considered = considerChanged(picture, considered, deps)
    return lookAgain(local, deps)
  }
  return {
    round: async () => {
      try {
        return await act()
      } catch (error) {
        deps.memory.isStale = true
        const isAway = error instanceof DriverUnavailableError
        if (isAway) deps.onDriver(error.message)
        deps.log[isAway ? 'warn' : 'error']({ err: error }, 'round failed')
        return { again: false, afterMs: RETRY_MS }
      }
    },
    reportOf: (uid) => picture && reportOf(uid, picture, deps),
  }
}

/** A round's world, in the shape that reports ask for it. */
interface Picture {
  readonly wanted: ReadonlyMap<string, Wanted>
  readonly winners: ReadonlyMap<string, Wanted>
}

function pictureOf({ wanted }: World, { records }: Memory): Picture {
  return { wanted: new Map(wanted.map((unit) => [unit.uid, unit])), winners: winners(wanted, records) }
}

/** Everything a report is made of, by reference: as long as these are the same, so is the report. */
type Sight = readonly unknown[]

function considerChanged(
  { wanted, winners: first }: Picture,
  before: ReadonlyMap<string, Sight>,
  { memory, machineName, statusWriter }: ReconcilerDeps,
): ReadonlyMap<string, Sight> {
  const after = new Map<string, Sight>()
  for (const unit of wanted.values()) {
    if (unit.holder !== machineName) continue
    const { uid, unitName } = unit
    const seen = memory.observed.get(unitName)
    const here = [memory.records.get(uid), memory.installed.get(unitName), memory.justStarted.has(uid)]
    const sight = [unit, seen, ...here, memory.refusals.get(uid), first.get(unitName)?.uid]
    const last = before.get(uid)
    if (last === undefined || sight.some((part, index) => part !== last[index])) statusWriter().consider(uid)
    after.set(uid, sight)
  }
  return after
}

function circumstances(deps: ReconcilerDeps): Circumstances {
  const { machineName, epoch, isOnline, units, memory, nowMs, sources, generated, exclusive } = deps
  const online = isOnline()
  const objects = online ? units.list() : [...memory.copies.values()]
  // What is held and no longer wanted may still be started by its manager.
  const named = [...objects, ...memory.copies.values()]
  return {
    machineName,
    epoch,
    online,
    units: objects,
    nowMs: nowMs(),
    sources: sources(named, online),
    generated,
    exclusive,
  }
}

/** Undefined while there is nothing worth saying: on its way to its first start, or not held by us. */
function reportOf(uid: string, seen: Picture, { memory, machineName }: ReconcilerDeps): UnitReport | undefined {
  const unit = seen.wanted.get(uid)
  if (unit === undefined || unit.holder !== machineName) return undefined
  const winner = seen.winners.get(unit.unitName)
  const takenBy = winner === undefined || winner.uid === uid ? undefined : winner.name
  const record = memory.records.get(uid)
  const refusal = memory.refusals.get(uid)
  const text = refusal?.isAboutRunning ? refusal.text : undefined
  const isWaiting = unit.missing !== undefined && !unit.missing.isPending
  const isDecided = unit.unsupported !== undefined || takenBy !== undefined || text !== undefined || isWaiting
  if (!isDecided && !isSettled(unit, memory)) return undefined
  return report({
    unit,
    observed: memory.observed.get(unit.unitName),
    record,
    installedHash: record ? memory.installed.get(unit.unitName)?.contentHash : undefined,
    refusal: text,
    takenBy,
  })
}

function isSettled(unit: Wanted, memory: Memory): boolean {
  const record = memory.records.get(unit.uid)
  if (record === undefined) return unit.desired === 'inactive'
  if (!memory.observed.has(unit.unitName)) return false
  if (unit.desired === 'launched' && !record.started) return false
  return !memory.justStarted.has(unit.uid)
}

/** A stop shows itself through the manager's hints: asking at once again would only ask for the same stop. */
function lookAgain(done: readonly Action[], { memory, nowMs }: ReconcilerDeps): RoundResult {
  const isStopping = done.some(({ do: verb }) => verb === 'stop')
  const again = done.some(({ do: verb }) => verb !== 'stop' && verb !== 'keep')
  return { again, afterMs: Math.min(isStopping ? RETRY_MS : SLOW_MS, nextLookMs(memory, nowMs())) }
}

function nextLookMs(memory: Memory, nowMs: number): number {
  const due = [...memory.refusals.values()].map(({ retryAtMs }) => retryAtMs - nowMs).filter((ms) => ms > 0)
  const starts = memory.justStarted.size > 0 ? [START_SHOWS_WITHIN_MS] : []
  return Math.max(10, Math.min(SLOW_MS, ...due, ...starts))
}
