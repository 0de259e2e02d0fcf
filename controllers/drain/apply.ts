/** Writes what was planned, each write guarded by the resourceVersion it was decided on. */
import { DRAINED, EVICT_FROM, MOVED_FROM, withoutDrain } from '../../crds/drain.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import type { ApiWriter } from '../lib/client.ts'
import type { Clock } from '../lib/clock.ts'
import { setCondition } from '../lib/conditions.ts'
import type { EventRecorder } from '../lib/events.ts'
import { unlessChanged } from '../lib/unless-changed.ts'
import type { Action } from './plan.ts'

export interface ApplyDeps {
  readonly client: Pick<ApiWriter, 'patch'>
  readonly events: Pick<EventRecorder, 'record'>
  readonly clock: Clock
  /** Hears of each unit as it was written. */
  readonly learn: (unit: Readonly<Unit>) => void
}

/** Returns false when something changed or went meanwhile: it is looked at again in the next run. */
export function apply(deps: ApplyDeps, action: Action, signal: AbortSignal): Promise<boolean> {
  return unlessChanged(() => perform(deps, action, signal))
}

async function perform(deps: ApplyDeps, action: Action, signal: AbortSignal): Promise<void> {
  switch (action.do) {
    case 'take-off':
      // One after the other: the scheduler moves who follows along with whom it follows, whichever of our writes it sees.
      for (const unit of action.units) await takeOff(deps, unit, action.machine, action.reason, signal)
      return
    case 'forget': {
      const gone = Object.fromEntries(action.marks.map((mark) => [mark, null]))
      return patchUnit(deps, action.unit, { annotations: gone }, {}, signal)
    }
    case 'end':
      return end(deps, action.machine, signal)
    case 'report':
      return report(deps, action, signal)
  }
}

/** Its holder stops it and gives it back, the scheduler places it anew: nobody else touches it until then. */
async function takeOff(
  deps: ApplyDeps,
  unit: Readonly<Unit>,
  machine: string,
  because: string,
  signal: AbortSignal,
): Promise<void> {
  const annotations = { [EVICT_FROM]: null, [MOVED_FROM]: machine }
  // Empty, not absent: a write without the field keeps the binding (D6).
  await patchUnit(deps, unit, { annotations }, { spec: { machineName: '' } }, signal)
  deps.events.record(unit, { type: 'Normal', reason: 'Drained', message: `taken off ${machine}: ${because}` })
}

async function patchUnit(
  { client, learn }: ApplyDeps,
  { metadata: { name, resourceVersion } }: Readonly<Unit>,
  metadata: object,
  rest: object,
  signal: AbortSignal,
): Promise<void> {
  const body = { metadata: { resourceVersion, ...metadata }, ...rest }
  learn(await client.patch(Unit, name, { type: 'merge', body, signal }))
}

async function end({ client }: ApplyDeps, machine: Readonly<Machine>, signal: AbortSignal): Promise<void> {
  const { name, resourceVersion } = machine.metadata
  const taints = withoutDrain(machine)
  const body = { metadata: { resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } }
  await client.patch(Machine, name, { type: 'merge', body, signal })
}

async function report(
  { client, clock }: ApplyDeps,
  { machine, condition }: Extract<Action, { do: 'report' }>,
  signal: AbortSignal,
): Promise<void> {
  const { name, resourceVersion } = machine.metadata
  const before = machine.status?.conditions ?? []
  const conditions = condition
    ? setCondition(before, condition, clock.now())
    : before.filter(({ type }) => type !== DRAINED)
  const body = { metadata: { resourceVersion }, status: { conditions } }
  await client.patch(Machine, name, { type: 'merge', subresource: 'status', body, signal })
}
