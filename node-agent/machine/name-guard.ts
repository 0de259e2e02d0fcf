/**
 * Two machines with one name (a cloned image, a host name given twice) would run every unit of that name twice and
 * contradict each other about it for ever. So an agent that finds its Machine to be that of another machine-id first looks
 * whether that machine lives: as long as its lease is renewed, this one does nothing at all, and says so.
 */
import type { Logger } from 'pino'
import { type ApiClient, isApiError } from '../../controllers/lib/client.ts'
import { type Clock, sleep, systemClock } from '../../controllers/lib/clock.ts'
import { Lease } from '../../crds/core/index.ts'
import { MACHINE_LEASES } from '../../crds/group.ts'
import { Machine } from '../../crds/machine.ts'

export interface NameGuardOptions {
  readonly client: Pick<ApiClient, 'get'>
  readonly machineName: string
  /** Of this machine; '' where it has none, which is nobody's. */
  readonly machineID: string
  readonly leaseDurationMs: number
  readonly log: Pick<Logger, 'error' | 'info'>
  readonly clock?: Clock
}

const DEADLINE_MS = 1_000

/**
 * Resolves when nobody else lives under the name, or `signal` fires. A server that does not answer is no reason to wait:
 * what this machine has on its disk was placed on it.
 */
export async function nameIsOurs(options: NameGuardOptions, signal: AbortSignal): Promise<void> {
  const { machineName, machineID, leaseDurationMs, log, clock = systemClock } = options
  const other = await otherOwner(options, signal)
  if (other === undefined) return
  while (!signal.aborted) {
    const before = await leaseVersion(options, signal)
    if (!(await sleep(clock, leaseDurationMs, signal))) return
    // One that has died or was installed anew is silent for a whole lease.
    if (before !== undefined && (await leaseVersion(options, signal)) === before) {
      log.info({ machine: machineName, machineID, other }, 'the name was that of a machine that is gone')
      return
    }
    log.error(
      { machine: machineName, machineID, other },
      'another machine lives under this name: give this one its own',
    )
  }
}

async function otherOwner({ client, machineName, machineID }: NameGuardOptions, signal: AbortSignal) {
  const call = { timeoutMs: DEADLINE_MS, signal }
  const machine = await client.get(Machine, machineName, call).catch(() => undefined) // see above
  const owner = machine?.status?.machineID
  return !owner || !machineID || owner === machineID ? undefined : owner
}

/** Undefined while the server does not answer. */
async function leaseVersion(
  { client, machineName }: NameGuardOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const lease = await client.get(Lease, machineName, { namespace: MACHINE_LEASES, timeoutMs: DEADLINE_MS, signal })
    return lease.metadata.resourceVersion
  } catch (error) {
    return isApiError(error, 404) ? 'none' : undefined
  }
}
