/**
 * unit-set: owns the child Units of parents (`replicas`, Global) and the parents' counts and condition Progressing.
 * Reads Units and Machines. Every name follows from the parent alone and every write is for the version it was planned
 * from, so it may be cut off anywhere and run twice.
 */
import type { Logger } from 'pino'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { isBoundByOwner, isGlobal, isParent, parentUid } from '../../crds/unit-set.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { findCondition } from '../lib/conditions.ts'
import { type Controller, createController, DONE, type Reconcile, type Result } from '../lib/controller.ts'
import type { Informer } from '../lib/informer.ts'
import { group, type Runnable } from '../lib/runnable.ts'
import { askOf } from '../scheduler/ask.ts'
import { type GlobalAnswer, machinesForGlobal } from '../scheduler/global.ts'
import { type ApplyDeps, applyAll } from './apply.ts'
import { BELIEVED_MS, createNewest, type Newest } from './newest.ts'
import { type Action, type Observed, plan } from './plan.ts'
import { createSteady, type Steady, untilSteadyMs } from './steady.ts'

export interface UnitSetOptions extends Omit<ApplyDeps, 'clock' | 'learn'> {
  readonly machines: Pick<Informer<Machine>, 'get' | 'list' | 'subscribe'>
  readonly units: Pick<Informer<Unit>, 'get' | 'list' | 'subscribe'>
  readonly log: Logger
  readonly clock?: Clock
}

const WORKERS = 2
/** A large set's instances report all the time; it is looked at no oftener than this, and for a fifth of the time at most. */
const PAUSE_MS = 50
const PAUSE_PER_LOOK = 4
/** Per run, so that counts move while thousands are made. */
const MAX_WRITES = 256

/** To be started by the leader, after its informers are ready. */
export function createUnitSet(options: UnitSetOptions): Runnable {
  const { log, clock = systemClock } = options
  const newest = createNewest(options.units, clock)
  const waiting = createWaiting()
  const steady = createSteady(clock)
  const restUntilMs = new Map<string, number>()
  const deps: ApplyDeps = { ...options, clock, learn: newest.learn }
  const reconcile: Reconcile = async ({ name }, context) => {
    const parent = newest.get(name)
    if (parent === undefined) {
      restUntilMs.delete(name)
      waiting.forget(name)
      steady.forget(name)
      return DONE
    }
    const begunMs = clock.monotonicMs()
    const restMs = (restUntilMs.get(name) ?? begunMs) - begunMs
    if (restMs > 0) return { requeueAfterMs: restMs }
    const { observed, reasons } = observe(parent, options, { newest, steady })
    const actions = plan(observed)
    waiting.set(name, reasons)
    const pauseMs = Math.max(PAUSE_MS, PAUSE_PER_LOOK * (clock.monotonicMs() - begunMs))
    restUntilMs.set(name, clock.monotonicMs() + pauseMs)
    const { uid = '' } = parent.metadata
    if (actions.length === 0) return again(newest.isBehind(uid) ? BELIEVED_MS : undefined, untilSteadyMs(observed))
    const now = [...actions.slice(0, MAX_WRITES), ...actions.slice(MAX_WRITES).filter((each) => each.do === 'report')]
    await applyAll(deps, parent, now, context.signal)
    for (const action of now) context.log.info({ unit: name, ...inWords(action) }, 'action applied')
    return { requeueAfterMs: pauseMs }
  }
  const controller = createController({ name: 'unit-set', reconcile, log, clock, workers: WORKERS })
  return group('unit-set', [controller, follow(options, newest, waiting, controller)])
}

/** The next look that something asks for, if any does. */
function again(...afterMs: readonly (number | undefined)[]): Result {
  const asked = afterMs.filter((ms) => ms !== undefined)
  return asked.length > 0 ? { requeueAfterMs: Math.min(...asked) } : DONE
}

interface Memory {
  readonly newest: Newest
  readonly steady: Steady
}

function observe(parent: Readonly<Unit>, { machines, units }: UnitSetOptions, { newest, steady }: Memory) {
  const children = newest.childrenOf(parent.metadata.uid ?? '')
  const own = new Set(children.map((child) => child.metadata.name))
  const forNames = new Set<string>()
  const isTaken = (name: string): boolean => {
    const is = !own.has(name) && newest.get(name) !== undefined
    if (is) forNames.add(name)
    return is
  }
  const isReachable = (machine: string): boolean =>
    findCondition(machines.get(machine)?.status?.conditions, 'Ready')?.status === 'True'
  const present = new Set(children.flatMap(({ spec }) => spec.machineName || []))
  const answer: GlobalAnswer =
    isParent(parent) && isGlobal(parent.spec)
      ? machinesForGlobal({ parent, machines: machines.list(), units: units.list(), present })
      : { machines: [], dependsOnUnits: false }
  const wellForMs = steady.look(parent.metadata.name, children)
  const observed: Observed = { parent, children, machines: answer.machines, isReachable, isTaken, wellForMs }
  return { observed, reasons: { forNames, forUnits: answer.dependsOnUnits } }
}

function inWords(action: Action): object {
  if (action.do === 'report') return { do: action.do, reason: action.reason }
  const child = action.do === 'create' ? action.name : action.child.metadata.name
  return { do: action.do, child, reason: action.reason }
}

interface Reasons {
  /** Names that others have. */
  readonly forNames: ReadonlySet<string>
  /** What is placed where. */
  readonly forUnits: boolean
}

/** Parents that something else than their own instances keeps from what they want. */
interface Waiting {
  set(parent: string, reasons: Reasons): void
  forget(parent: string): void
  /** Who is to look again when the unit of this name changes. */
  whom(name: string): string[]
}

function createWaiting(): Waiting {
  const known = new Map<string, Reasons>()
  return {
    set: (parent, reasons) => {
      if (reasons.forNames.size > 0 || reasons.forUnits) known.set(parent, reasons)
      else known.delete(parent)
    },
    forget: (parent) => known.delete(parent),
    whom: (name) =>
      [...known].flatMap(([parent, { forNames, forUnits }]) => (forUnits || forNames.has(name) ? parent : [])),
  }
}

/** Enqueues parents; everything that is a parent or has one, at the start. */
function follow(
  { units, machines }: UnitSetOptions,
  newest: Newest,
  waiting: Waiting,
  controller: Pick<Controller, 'enqueue'>,
): Runnable {
  const owners = new Map<string, string>()
  const globals = (): void => {
    for (const unit of units.list()) if (isParent(unit) && isGlobal(unit.spec)) controller.enqueue(unit.metadata.name)
  }
  const onUnit = (name: string): void => {
    newest.changed(name)
    const unit = units.get(name)
    // An instance that was orphaned or taken over leaves a gap in the set that it came from.
    const [before, now] = [owners.get(name), unit && ownerName(unit)]
    if (now === undefined) owners.delete(name)
    else owners.set(name, now)
    for (const parent of [name, before, now, ...waiting.whom(name)])
      if (parent !== undefined) controller.enqueue(parent)
    if (unit && isBoundByOwner(unit) && askOf(unit).conflicts.length > 0) globals()
  }
  return {
    name: 'unit-set trigger',
    start: (signal) => {
      const unsubscribes = [units.subscribe(onUnit), machines.subscribe(globals)]
      newest.reset()
      for (const { metadata } of units.list()) onUnit(metadata.name)
      return new Promise((resolve) => {
        const stop = (): void => {
          for (const unsubscribe of unsubscribes) unsubscribe()
          resolve()
        }
        if (signal.aborted) stop()
        else signal.addEventListener('abort', stop, { once: true })
      })
    },
  }
}

function ownerName(unit: Readonly<Unit>): string | undefined {
  const uid = parentUid(unit)
  return unit.metadata.ownerReferences?.find((reference) => reference.uid === uid)?.name
}
