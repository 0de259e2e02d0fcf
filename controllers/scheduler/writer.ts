/** The workers that write decisions, one a unit at a time; a decision that cannot be written is planned anew. */
import type { Logger } from 'pino'
import type { Unit } from '../../crds/unit.ts'
import { isApiError } from '../lib/api-error.ts'
import { createController, DONE, type Reconcile } from '../lib/controller.ts'
import type { Informer } from '../lib/informer.ts'
import type { Runnable } from '../lib/runnable.ts'
import { type ApplyDeps, apply } from './apply.ts'
import type { Action } from './round.ts'

export interface WriterOptions extends ApplyDeps {
  readonly units: Pick<Informer<Unit>, 'get'>
  /** The decision about the unit of this name was not carried out. */
  readonly disown: (name: string) => void
  readonly planAgain: () => void
  readonly log: Logger
}

/**
 * Each write waits for several turns of the server's loop, which are long while agents claim and report. With 16 at a
 * time 200 units were bound after 495 to 798 ms (p50), with 32 after 170 to 330 ms; 64 was no better.
 */
const WRITERS = 32

export function createWriter(options: WriterOptions): Runnable & { write(action: Action): void } {
  const decisions = new Map<string, Action>()
  const reconcile: Reconcile = async ({ name }, { signal, log }) => {
    const action = decisions.get(name)
    decisions.delete(name)
    // Nothing decided: this is the retry after a failed write, and the world may have moved on since.
    if (!action) options.planAgain()
    else await writeOne(options, action, signal, log)
    return DONE
  }
  const controller = createController({ ...options, name: 'scheduler-writer', reconcile, workers: WRITERS })
  return {
    name: controller.name,
    start: controller.start,
    write: (action) => {
      const { name } = action.unit.metadata
      decisions.set(name, action)
      controller.enqueue(name)
    },
  }
}

async function writeOne(options: WriterOptions, action: Action, signal: AbortSignal, log: Logger): Promise<void> {
  const { name, resourceVersion } = action.unit.metadata
  try {
    await apply(options, action, signal)
    log.info({ unit: name, do: action.do, machine: machineOf(action), reason: action.reason }, 'action applied')
  } catch (error) {
    options.disown(name)
    if (!isApiError(error, 404, 409)) throw error
    log.debug({ unit: name, do: action.do }, 'unit changed meanwhile')
    // Where the informer is still behind, the change that it will show starts the next round.
    if (options.units.get(name)?.metadata.resourceVersion !== resourceVersion) options.planAgain()
  }
}

function machineOf(action: Action): string | undefined {
  return action.do === 'explain' ? undefined : action.machine
}
