/** Writes the scheduler's decisions, each guarded by the resourceVersion it was made on. */
import { Unit } from '../../crds/unit.ts'
import { finalizersForBinding } from '../../crds/unit-exclusive.ts'
import type { ApiWriter } from '../lib/client.ts'
import type { Clock } from '../lib/clock.ts'
import { setCondition } from '../lib/conditions.ts'
import type { EventRecorder, Saying } from '../lib/events.ts'
import type { Action } from './round.ts'

export interface ApplyDeps {
  readonly client: Pick<ApiWriter, 'patch'>
  readonly events: Pick<EventRecorder, 'record'>
  readonly clock: Clock
}

/** Rejects with ApiError 409 when the unit changed since it was looked at, and 404 when it is gone. */
export async function apply({ client, events, clock }: ApplyDeps, action: Action, signal: AbortSignal): Promise<void> {
  const { name, resourceVersion } = action.unit.metadata
  const metadata = { resourceVersion }
  if (action.do !== 'explain') {
    // Empty, not absent: a write without the field keeps the binding, so that a plain apply does not undo it (D6).
    const machineName = action.do === 'bind' ? action.machine : ''
    const finalizers = action.do === 'bind' ? finalizersForBinding(action.unit) : undefined
    const body = { metadata: { ...metadata, ...(finalizers && { finalizers }) }, spec: { machineName } }
    await client.patch(Unit, name, { type: 'merge', body, signal })
    if (action.moved) events.record(action.unit, tellMove(action.moved, machineName))
    return
  }
  let conditions = action.unit.status?.conditions
  for (const condition of action.conditions)
    conditions = setCondition(conditions, { ...condition, ...observedGeneration(action) }, clock.now())
  const body = { metadata, status: { conditions } }
  await client.patch(Unit, name, { type: 'merge', subresource: 'status', body, signal })
  for (const { status, reason, message } of action.conditions)
    if (status === 'False') events.record(action.unit, { type: 'Warning', reason, message })
}

/** Only moves are told: one Event a placement would double the writes of a start, and the binding itself says as much. */
function tellMove({ from, because }: { readonly from: string; readonly because: string }, machine: string): Saying {
  return machine === ''
    ? { type: 'Warning', reason: 'TakenOff', message: `taken off ${from}, and no other machine fits: ${because}` }
    : { type: 'Normal', reason: 'Moved', message: `moved from ${from} to ${machine}: ${because}` }
}

function observedGeneration({ unit }: Action): { readonly observedGeneration?: number } {
  const { generation } = unit.metadata
  return generation === undefined ? {} : { observedGeneration: generation }
}
