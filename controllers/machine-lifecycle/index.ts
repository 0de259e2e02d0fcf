/**
 * machine-lifecycle: says Ready=Unknown about machines whose lease ran out, and takes their units and those of deleted
 * machines off them; the scheduler then places them anew. Keeps the objects of exclusive units until nobody holds them.
 * Reads Machines, Units and the Leases of the machines. Safe to run twice: every write carries the version it was
 * decided on.
 *
 * Observing starts with the process, so that a standby that takes over has judged all along; acting is the leader's.
 */
import type { Logger } from 'pino'
import { Lease } from '../../crds/core/index.ts'
import { MACHINE_LEASES } from '../../crds/group.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import type { ApiReader, ApiWriter } from '../lib/client.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { forEachConcurrently } from '../lib/concurrent.ts'
import { createController, type Reconcile } from '../lib/controller.ts'
import type { EventRecorder } from '../lib/events.ts'
import type { Informer } from '../lib/informer.ts'
import { group, type Runnable } from '../lib/runnable.ts'
import { createTrigger, type Source } from '../lib/trigger.ts'
import { apply } from './apply.ts'
import { createJudge, type Judge } from './judge.ts'
import { type Action, guard, placesOf, plan } from './plan.ts'

export interface LifecycleOptions {
  readonly client: Pick<ApiReader, 'list'> & Pick<ApiWriter, 'patch'>
  readonly machines: Pick<Informer<Machine>, 'get' | 'list' | 'subscribe'>
  readonly units: Pick<Informer<Unit>, 'get' | 'list' | 'subscribe'>
  /** Of the leases in namespace flotilla-machines. */
  readonly leases: Pick<Informer<Lease>, 'get' | 'subscribe'>
  readonly events: Pick<EventRecorder, 'record'>
  readonly log: Logger
  /** 8 000 unless given; agents renew every quarter of it. */
  readonly leaseDurationMs?: number
  readonly clock?: Clock
}

export const LEASE_DURATION_MS = 8_000
const ROUND = 'all machines'
const WRITES_AT_ONCE = 16
const LOOKS_PER_LEASE = 32

/** Call it before the informers start; the returned part is the leader's to run. */
export function createMachineLifecycle(options: LifecycleOptions): Runnable {
  const { machines, units, log, clock = systemClock, leaseDurationMs = LEASE_DURATION_MS } = options
  const { judge, deleted } = observe(options, clock, leaseDurationMs)
  const look = (): Action[] => {
    const [all, nowMs] = [units.list(), clock.monotonicMs()]
    const inUse = new Set(all.flatMap(placesOf))
    // A machine that went before we came gets a lease from now on; one that nobody is left on is forgotten.
    for (const machine of inUse) judge.expect(machine, nowMs)
    for (const machine of deleted) if (!inUse.has(machine) && deleted.delete(machine)) judge.forget(machine)
    return plan({ machines: machines.list(), units: all, verdict: judge.verdict(nowMs) })
  }
  const reconcile: Reconcile = async (_, context) => {
    let actions = look()
    if (actions.length > 0) {
      // Our watch may lag behind: nothing is taken from a machine whose lease the server shows renewed.
      await confirm(options, judge, clock, context.signal)
      actions = look()
    }
    await forEachConcurrently(actions, WRITES_AT_ONCE, async (action) => {
      const done = await apply({ ...options, clock }, action, context.signal)
      if (done) context.log.info({ ...described(action), reason: action.reason }, 'action applied')
    })
    return { requeueAfterMs: leaseDurationMs / LOOKS_PER_LEASE }
  }
  const controller = createController({ name: 'machine-lifecycle', reconcile, log, clock, backoff: RETRY })
  const trigger = createTrigger('machine-lifecycle trigger', [machines, guarded(units)], () =>
    controller.enqueue(ROUND),
  )
  return group('machine-lifecycle', [controller, trigger])
}

const RETRY = { firstMs: 50, maxMs: 1_000 }

/** Units whose finalizer has to come or go: nobody likes to wait for the next round when they delete something. */
function guarded(units: LifecycleOptions['units']): Source {
  const matters = (key: string): boolean => {
    const unit = units.get(key)
    return unit !== undefined && guard(unit) !== undefined
  }
  return { subscribe: units.subscribe, matters }
}

function observe({ machines, leases }: LifecycleOptions, clock: Clock, leaseDurationMs: number) {
  const judge = createJudge(leaseDurationMs)
  const deleted = new Set<string>()
  machines.subscribe((name) => {
    const isThere = machines.get(name) !== undefined
    if (isThere && deleted.delete(name)) judge.forget(name)
    if (isThere) judge.expect(name, clock.monotonicMs())
    else deleted.add(name)
  })
  leases.subscribe((key) => {
    const lease = leases.get(key)
    if (lease) hear(judge, lease, clock.monotonicMs())
  })
  return { judge, deleted }
}

async function confirm({ client }: LifecycleOptions, judge: Judge, clock: Clock, signal: AbortSignal): Promise<void> {
  const { items } = await client.list(Lease, { namespace: MACHINE_LEASES, timeoutMs: 2_000, signal })
  const nowMs = clock.monotonicMs()
  for (const lease of items) hear(judge, lease, nowMs)
}

function hear(judge: Judge, { metadata, spec }: Readonly<Lease>, nowMs: number): void {
  const seconds = spec?.leaseDurationSeconds
  judge.heard(metadata.name, metadata.resourceVersion, nowMs, seconds ? seconds * 1_000 : undefined)
}

function described(action: Action) {
  return action.do === 'mark' || action.do === 'tell'
    ? { do: action.do, machine: action.machine.metadata.name }
    : { do: action.do, machine: action.machine, unit: action.unit.metadata.name }
}
