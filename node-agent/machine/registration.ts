/**
 * Keeps this machine's Machine object: makes it when it is missing, and says what the machine is when that changes (also
 * when somebody else has changed what only we can know, such as a Ready that was turned Unknown in our absence).
 */

import type { Logger } from 'pino'
import { type ApiClient, isApiError } from '../../controllers/lib/client.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import { createInformer } from '../../controllers/lib/informer.ts'
import type { Runnable } from '../../controllers/lib/runnable.ts'
import { fieldEquals } from '../../crds/field-selector.ts'
import { Machine } from '../../crds/machine.ts'
import { createWaker, type Waker } from '../units/waker.ts'
import { type MachineSight, statusChange } from './status.ts'

export interface RegistrationOptions {
  readonly client: ApiClient
  readonly machineName: string
  /** What the machine is now; asked once a minute and after `wake`. */
  readonly look: () => Promise<MachineSight>
  readonly log: Logger
}

export interface Registration extends Runnable {
  /** Something about the machine changed. */
  readonly wake: () => void
}

const LOOK_EVERY_MS = 60_000
const RETRY_MS = 1_000
/** A manager that restarts is gone and back within this: one write, not two. */
const COALESCE_MS = 50

export function registration(options: RegistrationOptions): Registration {
  const waker = createWaker()
  return { name: 'registration', wake: waker.wake, start: (signal) => run(options, waker, signal) }
}

async function run(options: RegistrationOptions, waker: Waker, signal: AbortSignal): Promise<void> {
  const { client, machineName, log } = options
  const informer = createInformer({
    ...{ client, log },
    kind: Machine,
    fieldSelector: fieldEquals('metadata.name', machineName),
    onChange: waker.wake,
  })
  const watching = informer.start(signal)
  // The first word does not wait for the watch: placement can begin as soon as the machine is there.
  let known: Readonly<Machine> | undefined
  while (!signal.aborted) {
    const afterMs = await attempt(
      async () => {
        known = await register(options, newest(informer.get(machineName), known), signal)
      },
      options.log,
      signal,
    )
    await waker.wait(afterMs, signal)
    await sleep(systemClock, COALESCE_MS, signal)
    if (informer.get(machineName) === undefined) known = undefined
  }
  await watching
}

async function attempt(work: () => Promise<void>, log: Logger, signal: AbortSignal): Promise<number> {
  try {
    await work()
    return LOOK_EVERY_MS
  } catch (error) {
    if (!signal.aborted) log.warn({ err: error }, 'machine not registered')
    return RETRY_MS
  }
}

async function register(
  { client, machineName, look, log }: RegistrationOptions,
  known: Readonly<Machine> | undefined,
  signal: AbortSignal,
): Promise<Readonly<Machine>> {
  const [machine, sight] = await Promise.all([known ?? readOrCreate(client, machineName, signal), look()])
  const status = statusChange(machine, sight, new Date())
  if (status === undefined) return machine
  log.info({ machine: machineName, fields: Object.keys(status) }, 'machine status changed')
  return await client.patch(Machine, machineName, { type: 'merge', subresource: 'status', body: { status }, signal })
}

async function readOrCreate(client: ApiClient, name: string, signal: AbortSignal): Promise<Machine> {
  try {
    return await client.get(Machine, name, { signal })
  } catch (error) {
    if (!isApiError(error, 404)) throw error
    return await client.create(Machine, { metadata: { name }, spec: {} }, { signal })
  }
}

function newest(
  one: Readonly<Machine> | undefined,
  other: Readonly<Machine> | undefined,
): Readonly<Machine> | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Number(other.metadata.resourceVersion) > Number(one.metadata.resourceVersion) ? other : one
}
