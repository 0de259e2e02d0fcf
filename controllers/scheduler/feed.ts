/** Keeps a planner up to date with the informers. Where anything goes wrong it is made anew of what they show. */
import type { Logger } from 'pino'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import type { Clock } from '../lib/clock.ts'
import type { Informer } from '../lib/informer.ts'
import type { Source } from '../lib/trigger.ts'
import { createPlanner, type Planner } from './planner.ts'

export interface FeedOptions {
  readonly machines: Pick<Informer<Machine>, 'get' | 'list' | 'subscribe'>
  readonly units: Pick<Informer<Unit>, 'get' | 'list' | 'subscribe'>
  readonly clock: Clock
  readonly log: Logger
  readonly checkEveryMs: number
}

export interface Feed {
  /** For the trigger. */
  readonly sources: readonly Source[]
  upToDate(): Planner
  /** What fails half-way must not leave its mark: the planner is made anew after that. */
  guarded<T>(work: () => T): T
  disown(unit: string): void
  /** When `upToDate` is to be called though nothing changed. */
  readonly checkAtMs: number
}

export function createFeed({ machines, units, clock, log, checkEveryMs }: FeedOptions): Feed {
  const changedMachines = new Set<string>()
  const changedUnits = new Set<string>()
  let planner: Planner | undefined
  let checkAtMs = 0
  const make = (): Planner => {
    changedMachines.clear()
    changedUnits.clear()
    const made = createPlanner()
    made.setTime(clock.monotonicMs(), clock.now().getTime())
    for (const machine of machines.list()) made.putMachine(machine)
    for (const unit of units.list()) made.putUnit(unit)
    checkAtMs = clock.monotonicMs() + checkEveryMs
    return made
  }
  const feed = (known: Planner): Planner => {
    known.setTime(clock.monotonicMs(), clock.now().getTime())
    drain(changedMachines, machines.get, known.putMachine, known.dropMachine)
    drain(changedUnits, units.get, known.putUnit, known.dropUnit)
    if (clock.monotonicMs() < checkAtMs) return known
    checkAtMs = clock.monotonicMs() + checkEveryMs
    const drift = known.drift(machines.list(), units.list())
    if (drift === undefined) return known
    log.error({ drift }, 'the scheduler lost count; it starts anew')
    return make()
  }
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      planner = undefined
      throw error
    }
  }
  return {
    sources: [collect(machines.subscribe, changedMachines), collect(units.subscribe, changedUnits)],
    upToDate: () => {
      planner = guarded(() => (planner ? feed(planner) : make()))
      return planner
    },
    guarded,
    disown: (unit) => planner?.disown(unit),
    get checkAtMs() {
      return checkAtMs
    },
  }
}

function collect(subscribe: Source['subscribe'], changed: Set<string>): Source {
  return {
    subscribe,
    matters: (key) => {
      changed.add(key)
      return true
    },
  }
}

/** All that change before the next round change once. */
function drain<T>(
  changed: Set<string>,
  get: (name: string) => Readonly<T> | undefined,
  put: (object: Readonly<T>) => void,
  drop: (name: string) => void,
): void {
  for (const name of changed) {
    const object = get(name)
    if (object) put(object)
    else drop(name)
  }
  changed.clear()
}
