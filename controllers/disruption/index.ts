/**
 * disruption: owns the status of PodDisruptionBudgets, together with the server, which writes each eviction into it
 * first. Reads Pods. Every write is for the version it was worked out from, so an eviction is never written over.
 */
import type { Logger } from 'pino'
import { Pod, PodDisruptionBudget } from '../../crds/core/index.ts'
import type { ApiObject } from '../../crds/kind.ts'
import { isApiError } from '../lib/api-error.ts'
import type { ApiReader, ApiWriter } from '../lib/client.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { createController, DONE, type Reconcile } from '../lib/controller.ts'
import { createInformer } from '../lib/informer.ts'
import { group, type Runnable } from '../lib/runnable.ts'
import { plan } from './plan.ts'

export interface DisruptionOptions {
  readonly client: Pick<ApiReader, 'get' | 'list' | 'watch'> & Pick<ApiWriter, 'update'>
  readonly log: Logger
  readonly clock?: Clock
}

const WORKERS = 4

/** To be started by the leader: it observes only while it acts. */
export function createDisruption(options: DisruptionOptions): Runnable {
  const { client, log, clock = systemClock } = options
  const pods = createInformer({ client, kind: Pod, log, onChange: (key) => enqueueNamespace(key) })
  const budgets = createInformer({ client, kind: PodDisruptionBudget, log, onChange: (key) => controller.enqueue(key) })
  const reconcile: Reconcile = async ({ name: key }, { signal, log }) => {
    const budget = budgets.get(key)
    if (budget === undefined) return DONE
    const { namespace } = budget.metadata
    const around = pods.list().filter(({ metadata }) => metadata.namespace === namespace) as unknown as ApiObject[]
    const { report, againAtMs } = plan({ budget, pods: around, now: clock.now() })
    if (report !== undefined) {
      await write(client, { ...budget, status: report.status }, signal)
      log.debug({ budget: key, reason: report.reason }, 'status written')
    }
    return againAtMs === undefined ? DONE : { requeueAfterMs: Math.max(1, againAtMs - clock.now().getTime()) }
  }
  const controller = createController({ name: 'disruption', reconcile, log, clock, workers: WORKERS })
  const enqueueNamespace = (podKey: string): void => {
    const namespace = podKey.slice(0, podKey.indexOf('/') + 1)
    for (const { metadata } of budgets.list())
      if (`${metadata.namespace}/` === namespace) controller.enqueue(`${namespace}${metadata.name}`)
  }
  return group('disruption', [pods, budgets, controller])
}

async function write(
  client: DisruptionOptions['client'],
  budget: PodDisruptionBudget,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.update(PodDisruptionBudget, budget, { subresource: 'status', signal })
  } catch (error) {
    if (!isApiError(error, 404)) throw error
  }
}
