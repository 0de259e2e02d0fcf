/**
 * drain: moves units off machines that are drained (taint flotilla.dev/drain on a cordoned Machine) or that they were
 * asked to leave by name. Owns the annotations flotilla.dev/evict-from and moved-from and the Machines' condition Drained;
 * shares spec.machineName with the scheduler, which places anew what was taken off. Reads Machines, Units and the
 * PodDisruptionBudgets of namespace default. Safe to run twice: every write carries the version it was decided on.
 */
import type { Logger } from 'pino'
import { PodDisruptionBudget } from '../../crds/core/index.ts'
import { DRAINED, drainTaint, EVICT_FROM, MOVED_FROM } from '../../crds/drain.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { isBoundByOwner } from '../../crds/unit-set.ts'
import type { ApiReader, ApiWriter } from '../lib/client.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { forEachConcurrently } from '../lib/concurrent.ts'
import { findCondition } from '../lib/conditions.ts'
import { createController, DONE, type Reconcile } from '../lib/controller.ts'
import type { EventRecorder } from '../lib/events.ts'
import { createInformer, type Informer } from '../lib/informer.ts'
import { group, type Runnable } from '../lib/runnable.ts'
import { createTrigger } from '../lib/trigger.ts'
import { apply } from './apply.ts'
import { createNewest } from './newest.ts'
import { type Action, plan } from './plan.ts'

export interface DrainOptions {
  readonly client: Pick<ApiReader, 'get' | 'list' | 'watch'> & Pick<ApiWriter, 'patch'>
  readonly machines: Pick<Informer<Machine>, 'get' | 'list' | 'subscribe'>
  readonly units: Pick<Informer<Unit>, 'get' | 'list' | 'subscribe'>
  readonly events: Pick<EventRecorder, 'record'>
  readonly log: Logger
  readonly clock?: Clock
}

const ROUND = 'all machines'
const WRITES_AT_ONCE = 8
/** Everything reports while much moves; a look at thousands of units takes a fifth of the time at most. */
const PAUSE_MS = 20
const PAUSE_PER_LOOK = 4

/** To be started by the leader, after its informers are ready. */
export function createDrain(options: DrainOptions): Runnable {
  const { client, machines, units, log, clock = systemClock } = options
  const budgets = createInformer({ client, kind: PodDisruptionBudget, namespace: 'default', log })
  const newest = createNewest(units)
  let interest = NO_INTEREST
  let restUntilMs = 0
  const reconcile: Reconcile = async (_, context) => {
    const begunMs = clock.monotonicMs()
    if (begunMs < restUntilMs) return { requeueAfterMs: restUntilMs - begunMs }
    const all = machines.list()
    const seen = newest.list()
    interest = interestOf(all, seen)
    if (interest === NO_INTEREST) return DONE
    const actions = plan({ machines: all, units: seen, budgets: budgets.list() })
    restUntilMs = clock.monotonicMs() + Math.max(PAUSE_MS, PAUSE_PER_LOOK * (clock.monotonicMs() - begunMs))
    await forEachConcurrently(actions, WRITES_AT_ONCE, async (action) => {
      const isDone = await apply({ ...options, clock, learn: newest.learn }, action, context.signal)
      if (isDone) context.log.info({ ...inWords(action), reason: action.reason }, 'action applied')
    })
    return DONE
  }
  const controller = createController({ name: 'drain', reconcile, log, clock, backoff: RETRY })
  const sources = [
    {
      subscribe: machines.subscribe,
      matters: (name: string) => interest.isMoving || isSo(machines.get(name), concernsMachine),
    },
    { subscribe: units.subscribe, matters: (name: string) => matters(units.get(name), interest) },
    { subscribe: budgets.subscribe, matters: () => interest.isMoving },
  ]
  const trigger = createTrigger('drain trigger', sources, () => controller.enqueue(ROUND))
  // A budget that is not known yet would be no budget: the group waits for each member to be ready.
  return group('drain', [budgets, controller, trigger])
}

const RETRY = { firstMs: 50, maxMs: 1_000 }

function isSo<T>(object: T | undefined, concerns: (object: T) => boolean): boolean {
  return object !== undefined && concerns(object)
}

function concernsMachine(machine: Readonly<Machine>): boolean {
  return drainTaint(machine) !== undefined || findCondition(machine.status?.conditions, DRAINED) !== undefined
}

function isMarked({ metadata: { annotations } }: Readonly<Unit>): boolean {
  return annotations !== undefined && (EVICT_FROM in annotations || MOVED_FROM in annotations)
}

/** Which changes of units ask for a look. */
interface Interest {
  /** Machines that are drained, or that say so. */
  readonly machines: ReadonlySet<string>
  /** Something is to go or on its way: any unit may be what it waits for. A drained machine only waits for its own. */
  readonly isMoving: boolean
}

const NO_INTEREST: Interest = { machines: new Set(), isMoving: false }

function interestOf(machines: readonly Readonly<Machine>[], units: readonly Readonly<Unit>[]): Interest {
  const names = new Set(machines.filter(concernsMachine).map(({ metadata }) => metadata.name))
  const isLeft = (unit: Readonly<Unit>) =>
    isOnOne(unit, names) && unit.spec.failover !== 'none' && !isBoundByOwner(unit)
  const isMoving = units.some((unit) => isMarked(unit) || (names.size > 0 && isLeft(unit)))
  return names.size > 0 || isMoving ? { machines: names, isMoving } : NO_INTEREST
}

function isOnOne({ spec, status }: Readonly<Unit>, machines: ReadonlySet<string>): boolean {
  return machines.has(spec.machineName ?? '') || machines.has(status?.machineName ?? '')
}

function matters(unit: Readonly<Unit> | undefined, { isMoving, machines }: Interest): boolean {
  return isMoving || (unit === undefined ? machines.size > 0 : isMarked(unit) || isOnOne(unit, machines))
}

function inWords(action: Action): object {
  switch (action.do) {
    case 'take-off':
      return { do: action.do, machine: action.machine, units: action.units.map(({ metadata }) => metadata.name) }
    case 'forget':
      return { do: action.do, unit: action.unit.metadata.name }
    default:
      return { do: action.do, machine: action.machine.metadata.name }
  }
}
