/** What has to happen to an exclusive unit before it may be started: pure. */
import { isRunning, isStopping } from '../active-state.ts'
import type { ObservedUnit } from '../driver.ts'
import type { Gate } from './exclusive.ts'

export interface ExclusiveSight {
  /** False while its object could vanish although somebody holds it. */
  readonly claimable: boolean
  /** Its object says that its holder keeps it behind a gate. */
  readonly confirmed: boolean
}

interface Wanted {
  readonly uid: string
  readonly unitName: string
  readonly desired: string
  readonly startable: boolean
  readonly unsupported: string | undefined
  readonly exclusive?: ExclusiveSight
}

interface World {
  readonly online: boolean
  readonly hasLease: boolean
  readonly gates: ReadonlyMap<string, Gate>
  readonly observed: ReadonlyMap<string, ObservedUnit>
}

export interface Step {
  readonly do: 'stop' | 'claim'
  readonly reason: string
}

/** What will not be started here may be held without a lease: somebody has to say why. */
export function isClaimable(
  { exclusive, unsupported }: Pick<Wanted, 'exclusive' | 'unsupported'>,
  { online, hasLease }: Pick<World, 'online' | 'hasLease'>,
): boolean {
  return online && (exclusive === undefined || (exclusive.claimable && (hasLease || unsupported !== undefined)))
}

/**
 * Behind a closed gate it is stopped if it still runs (it has only now become exclusive) and claimed anew before it is
 * started. Undefined where nothing stands in its way, and offline, where it is not started anyhow.
 */
export function beforeGate(unit: Wanted, world: World): Step | 'wait' | undefined {
  const gate = world.gates.get(unit.uid) ?? 'closed'
  if (unit.exclusive === undefined || !unit.startable || unit.desired !== 'launched') return undefined
  if (gate === 'claimed' || (gate === 'open' && unit.exclusive.confirmed)) return undefined
  const seen = world.observed.get(unit.unitName)
  if (isStopping(seen)) return 'wait'
  if (isRunning(seen)) return { do: 'stop', reason: 'it runs and was not claimed as exclusive' }
  return isClaimable(unit, world) ? { do: 'claim', reason: 'to be claimed again before it is started' } : 'wait'
}
