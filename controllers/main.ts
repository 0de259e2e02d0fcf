/** The controllers of one process: informers observe from the start, controllers act while this process leads. */
import type { Logger } from 'pino'
import { Lease, Namespace } from '../crds/core/index.ts'
import { EVENT_NAMESPACE, MACHINE_LEASES } from '../crds/group.ts'
import type { Kind } from '../crds/kind.ts'
import { Machine } from '../crds/machine.ts'
import { Unit } from '../crds/unit.ts'
import { createDisruption } from './disruption/index.ts'
import { createDrain } from './drain/index.ts'
import { createGarbageCollector } from './garbage-collector/index.ts'
import { isApiError } from './lib/api-error.ts'
import { createBackoff } from './lib/backoff.ts'
import type { ApiClient } from './lib/client.ts'
import { aborted, sleep, systemClock } from './lib/clock.ts'
import { createRecorder } from './lib/events.ts'
import { createInformer } from './lib/informer.ts'
import { createElection, type Election } from './lib/leader.ts'
import { group, type Runnable } from './lib/runnable.ts'
import { createMachineLifecycle } from './machine-lifecycle/index.ts'
import { createScheduler } from './scheduler/index.ts'
import { createUnitSet } from './unit-set/index.ts'

export interface ControllersOptions {
  readonly client: ApiClient
  /** Unique among the processes that run controllers, for example host name and process id. */
  readonly identity: string
  readonly log: Logger
  /** Silence after which a machine counts as lost; 8 000 unless given. */
  readonly leaseDurationMs?: number
}

/** For the client that is handed in: as many as the scheduler writes at once. */
export const CONTROLLER_CONNECTIONS = 32

const LEADER_LEASE = 'flotilla-controllers'

/** Settles when `signal` has fired and everything has stopped, the leader lease given back. */
export function runControllers(options: ControllersOptions & { readonly signal: AbortSignal }): Promise<void> {
  return createControllers(options).start(options.signal)
}

export function createControllers(options: ControllersOptions): Runnable & Pick<Election, 'isLeader'> {
  const { client, identity, log } = options
  const informer = <K extends Kind>(kind: K, namespace?: string) =>
    createInformer({ client, kind, log, ...(namespace === undefined ? {} : { namespace }) })
  const machines = informer(Machine)
  const units = informer(Unit)
  const leases = informer(Lease, MACHINE_LEASES)
  const events = createRecorder({ client, component: 'flotilla-controllers', host: identity, log })
  const shared = { ...options, machines, units, leases, events }
  const lifecycle = createMachineLifecycle(shared)
  const election = createElection({
    client,
    identity,
    log,
    name: LEADER_LEASE,
    namespace: EVENT_NAMESPACE,
    lead: () => {
      const ofOurs = [leaseNamespace(client, log), createScheduler(shared), lifecycle, createUnitSet(shared)]
      const others = [createGarbageCollector(shared), createDisruption(shared), createDrain(shared)]
      return group('controllers', [...ofOurs, ...others])
    },
  })
  const all = group('controllers of this process', [machines, units, leases, events, election])
  return { ...all, isLeader: election.isLeader }
}

/** Agents need the namespace for their leases; on a foreign API server nobody else makes it. */
function leaseNamespace(client: ApiClient, log: Logger): Runnable {
  const ensure = async (signal: AbortSignal): Promise<void> => {
    const backoff = createBackoff({ firstMs: 100, maxMs: 5_000 })
    do {
      try {
        await client.create(Namespace, { metadata: { name: MACHINE_LEASES } }, { signal })
        return
      } catch (error) {
        // Ours has it from the start and lets nobody but its owner make namespaces.
        if (isApiError(error, 403, 409)) return
        if (!signal.aborted) log.debug({ err: error }, 'could not make the namespace of machine leases')
      }
    } while (await sleep(systemClock, backoff.nextMs(), signal))
  }
  return {
    name: 'namespace of machine leases',
    start: async (signal) => {
      await ensure(signal)
      await aborted(signal)
    },
  }
}
