/** Writes what was planned, each guarded by the resourceVersion it was decided on. */
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { STOPPED } from '../../crds/unit-exclusive.ts'
import type { ApiWriter } from '../lib/client.ts'
import type { Clock } from '../lib/clock.ts'
import { findCondition, setCondition } from '../lib/conditions.ts'
import type { EventRecorder } from '../lib/events.ts'
import { unlessChanged } from '../lib/unless-changed.ts'
import { type Action, LEASE_EXPIRED, READY } from './plan.ts'
import { UNIQUE } from './twins.ts'

export interface ApplyDeps {
  readonly client: Pick<ApiWriter, 'patch'>
  readonly events: Pick<EventRecorder, 'record'>
  readonly clock: Clock
}

/** Returns false when the object changed or went meanwhile: it is looked at again in the next run. */
export function apply(deps: ApplyDeps, action: Action, signal: AbortSignal): Promise<boolean> {
  return unlessChanged(() => perform(deps, action, signal))
}

async function perform(deps: ApplyDeps, action: Action, signal: AbortSignal): Promise<void> {
  if (action.do === 'mark' || action.do === 'tell') return say(deps, action, signal)
  if (action.do === 'release') return release(deps, action, signal)
  if (action.do === 'doubt') return doubt(deps, action, signal)
  if (action.do !== 'keep') return setFinalizer(deps, action, signal)
  deps.events.record(action.unit, { type: 'Warning', reason: 'NotMoved', message: action.reason })
}

type Said = Extract<Action, { do: 'mark' | 'tell' }>

async function say({ client, events, clock }: ApplyDeps, action: Said, signal: AbortSignal): Promise<void> {
  const { machine, reason: message } = action
  const { name, resourceVersion } = machine.metadata
  const condition = { ...wordsOf(action), message }
  const conditions = setCondition(machine.status?.conditions, condition, clock.now())
  const body = { metadata: { resourceVersion }, status: { conditions } }
  await client.patch(Machine, name, { type: 'merge', subresource: 'status', body, signal })
  if (condition.status !== 'True') events.record(machine, { type: 'Warning', reason: condition.reason, message })
}

function wordsOf(action: Said) {
  if (action.do === 'mark') return { type: READY, status: 'Unknown', reason: LEASE_EXPIRED } as const
  const { status } = action
  return { type: UNIQUE, status, reason: status === 'True' ? 'Unique' : 'DuplicateMachineID' }
}

type Guard = Extract<Action, { do: 'guard' | 'unguard' }>

async function setFinalizer({ client }: ApplyDeps, { unit, ...action }: Guard, signal: AbortSignal): Promise<void> {
  const { name, resourceVersion, finalizers = [] } = unit.metadata
  const others = finalizers.filter((finalizer) => finalizer !== STOPPED)
  const wanted = action.do === 'guard' ? [...others, STOPPED] : others
  const body = { metadata: { resourceVersion, finalizers: wanted } }
  await client.patch(Unit, name, { type: 'merge', body, signal })
}

type Doubt = Extract<Action, { do: 'doubt' }>

/** Who holds it stays said: it may well run on there. */
async function doubt({ client, clock }: ApplyDeps, { unit, reason }: Doubt, signal: AbortSignal): Promise<void> {
  const { name, resourceVersion } = unit.metadata
  const body = { metadata: { resourceVersion }, status: activeUnknown(unit, reason, clock) }
  await client.patch(Unit, name, { type: 'merge', subresource: 'status', body, signal })
}

type Release = Extract<Action, { do: 'release' }>

/** The holder first: whoever gets the unit next can claim it at once. Cut in between, the next run does the rest. */
async function release({ client, events, clock }: ApplyDeps, action: Release, signal: AbortSignal): Promise<void> {
  const { unit, machine, reason } = action
  const { name } = unit.metadata
  let { resourceVersion } = unit.metadata
  if (unit.status?.machineName === machine) {
    const body = { metadata: { resourceVersion }, status: notHeld(unit, reason, clock) }
    const after = await client.patch(Unit, name, { type: 'merge', subresource: 'status', body, signal })
    resourceVersion = after.metadata.resourceVersion
  }
  if (unit.spec.machineName === machine) {
    // Empty, not absent: a write without the field keeps the binding (D6).
    const body = { metadata: { resourceVersion }, spec: { machineName: '' } }
    await client.patch(Unit, name, { type: 'merge', body, signal })
  }
  events.record(unit, { type: 'Warning', reason: 'MachineLost', message: reason })
}

/** What its agent reported there is no longer known to be true. */
function notHeld(unit: Readonly<Unit>, message: string, clock: Clock) {
  const gone = { machineName: null, systemd: null, fencingToken: null }
  return { ...gone, currentState: 'inactive', ...activeUnknown(unit, message, clock) }
}

function activeUnknown({ status }: Readonly<Unit>, message: string, clock: Clock) {
  const unknown = { type: 'Active', status: 'Unknown', reason: 'MachineLost', message } as const
  const { conditions } = status ?? {}
  if (findCondition(conditions, 'Active')) return { conditions: setCondition(conditions, unknown, clock.now()) }
  return conditions ? { conditions } : {}
}
