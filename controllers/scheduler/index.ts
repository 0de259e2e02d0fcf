/**
 * The scheduler: owns `spec.machineName` of Units and their conditions Scheduled (only False; the agent says True with
 * its claim) and PlacementSupported; reads Machines and Units. Two of them cannot both win: every write carries the
 * version it was decided on, and a lost one is decided again.
 *
 * A round plans over everything at once; its decisions are written by a second set of workers, so the next unit need not
 * wait for the writes of the round before. Until the informer shows a decision it is assumed.
 */
import type { Logger } from 'pino'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { createController, DONE, type Reconcile } from '../lib/controller.ts'
import type { Informer } from '../lib/informer.ts'
import { group, type Runnable } from '../lib/runnable.ts'
import { createTrigger } from '../lib/trigger.ts'
import type { ApplyDeps } from './apply.ts'
import { askOf } from './ask.ts'
import { createAssumed } from './assumed.ts'
import { type Action, needOf, plan } from './plan.ts'
import { createSeen } from './seen.ts'
import { createWriter } from './writer.ts'

export interface SchedulerOptions extends Omit<ApplyDeps, 'clock'> {
  readonly machines: Pick<Informer<Machine>, 'list' | 'subscribe'>
  readonly units: Pick<Informer<Unit>, 'get' | 'list' | 'subscribe'>
  readonly log: Logger
  readonly clock?: Clock
}

const ROUND = 'all units'

/** A round takes off before it places: what this one makes room for by Replaces goes in the next, which no event asks for. */
function displaces(action: Action): boolean {
  return action.do === 'bind' && askOf(action.unit).replaces.length > 0
}

/** To be started by the leader, after its informers are ready. */
export function createScheduler(options: SchedulerOptions): Runnable {
  const { machines, units, log, clock = systemClock } = options
  const assumed = createAssumed(units)
  const seen = createSeen()
  let someWait = false
  const round: Reconcile = async (_, context) => {
    assumed.settle()
    const all = units.list()
    const actions = plan({ machines: machines.list(), units: all, assumed: assumed.machines })
    seen.look(all, actions)
    for (const action of actions) {
      assumed.add(action)
      writer.write(action)
    }
    if (actions.some(displaces)) planAgain()
    someWait = all.some((unit) => needOf(unit) === 'place' && !assumed.machines.get(unit.metadata.name))
    context.log.debug({ actions: actions.length }, 'planned')
    return DONE
  }
  const rounds = createController({ name: 'scheduler', reconcile: round, log, clock })
  const planAgain = () => rounds.enqueue(ROUND)
  const writer = createWriter({ ...options, clock, assumed, planAgain })
  const needsRound = (name: string): boolean => {
    // A unit that waits may wait for another one (MachineOf), so any change may be the one.
    if (someWait) return true
    const unit = units.get(name)
    // What is gone may have been what others have to be with; a changed spec may forbid where something is.
    return unit === undefined || needOf(unit) !== undefined || seen.isNews(unit)
  }
  const sources = [{ subscribe: units.subscribe, matters: needsRound }, { subscribe: machines.subscribe }]
  return group('scheduler', [writer, rounds, createTrigger('scheduler trigger', sources, planAgain)])
}
