/**
 * The machine's sign of life: a Lease that is renewed four times as often as it runs out. Observers count from when they
 * saw it change, so what is written in it is for people.
 */
import type { Logger } from 'pino'
import { type ApiClient, isApiError } from '../../controllers/lib/client.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { Runnable } from '../../controllers/lib/runnable.ts'
import { Lease } from '../../crds/core/index.ts'
import { MACHINE_LEASES } from '../../crds/group.ts'
import { monotonicUs } from './monotonic.ts'

export interface HeartbeatOptions {
  readonly client: Pick<ApiClient, 'create' | 'get' | 'patch'>
  readonly machineName: string
  readonly leaseDurationMs: number
  /** A renewal was answered; when it was sent, in µs of the machine's monotonic clock. Must not reject. */
  readonly onRenewed?: (sentAtUs: number) => Promise<void>
  readonly log: Logger
}

const RENEWALS_PER_LEASE = 4
/** A server that takes longer is asked again. */
const MAX_DEADLINE_MS = 1_000

export function heartbeat(options: HeartbeatOptions): Runnable {
  return { name: 'heartbeat', start: (signal) => beat(options, signal) }
}

async function beat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const everyMs = options.leaseDurationMs / RENEWALS_PER_LEASE
  let failures = 0
  do {
    const beganMs = performance.now()
    try {
      // A machine that is heard but hears nothing would live on for as long as it has open connections to say so on.
      if (failures > 0) await ask(options, signal)
      const sentAtUs = monotonicUs()
      await renew(options, signal)
      // Not waited for: a manager that is slow to be told must not delay the next sign of life.
      void options.onRenewed?.(sentAtUs)
      if (failures > 0) options.log.info({ failures }, 'heartbeat answered again')
      failures = 0
    } catch (error) {
      failures += 1
      if (!signal.aborted)
        options.log[failures === 1 ? 'warn' : 'debug']({ failures, err: error }, 'heartbeat not answered')
    }
    // From beat to beat, however long the answer took.
    if (!(await sleep(systemClock, Math.max(0, everyMs - (performance.now() - beganMs)), signal))) return
  } while (!signal.aborted)
}

/** Resolves when the server answers at all. */
async function ask(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  await options.client.get(Lease, options.machineName, callOf(options, signal)).catch((error: unknown) => {
    if (!isApiError(error)) throw error
  })
}

function callOf({ leaseDurationMs }: HeartbeatOptions, signal: AbortSignal) {
  const timeoutMs = Math.min(MAX_DEADLINE_MS, leaseDurationMs / RENEWALS_PER_LEASE)
  return { namespace: MACHINE_LEASES, timeoutMs, signal }
}

async function renew(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { client, machineName, leaseDurationMs } = options
  const now = microTime(new Date())
  const spec = {
    holderIdentity: machineName,
    leaseDurationSeconds: Math.max(1, Math.ceil(leaseDurationMs / 1000)),
    renewTime: now,
  }
  const call = callOf(options, signal)
  try {
    await client.patch(Lease, machineName, { type: 'merge', body: { spec }, ...call })
  } catch (error) {
    if (!isApiError(error, 404)) throw error
    await client.create(Lease, { metadata: { name: machineName }, spec: { ...spec, acquireTime: now } }, call)
  }
}

/** Kubernetes' MicroTime: always six digits. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z')
}
