/** Workers over a queue of names, and the one place where a reconcile's outcome is counted, logged and retried. */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { isApiError } from './api-error.ts'
import { withDeadline } from './deadline.ts'
import { createQueue, type QueueOptions, type WorkQueue } from './queue.ts'
import type { Runnable } from './runnable.ts'

/** Nothing more to do until something changes. */
export const DONE = { requeueAfterMs: undefined } as const
export type Result = typeof DONE | { readonly requeueAfterMs: number }

/** Trying again cannot help: the key rests until it changes. */
export class TerminalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TerminalError'
  }
}

export interface ReconcileContext {
  readonly signal: AbortSignal
  readonly log: Logger
}
/**
 * Makes the world match the object of this name, from whatever state it is in; running it twice is harmless. Throwing
 * means retry with backoff. A gone object is DONE.
 */
export type Reconcile = (request: { readonly name: string }, context: ReconcileContext) => Promise<Result>

export interface ControllerOptions extends QueueOptions {
  readonly name: string
  readonly reconcile: Reconcile
  readonly log: Logger
  /** Keys worked at the same time; 1 unless given. */
  readonly workers?: number
  /** One run may take so long; 30 000 unless given. */
  readonly timeoutMs?: number
}

export interface ControllerStats {
  runs: number
  /** Lost compare-and-sets: normal, tried again. */
  conflicts: number
  failures: number
}

export interface Controller extends Runnable {
  /** Wants the object of this name reconciled. */
  enqueue(name: string): void
  readonly stats: Readonly<ControllerStats>
}

export function createController(options: ControllerOptions): Controller {
  const queue = createQueue(options)
  const stats: ControllerStats = { runs: 0, conflicts: 0, failures: 0 }
  const work = async (signal: AbortSignal): Promise<void> => {
    for (let key = await queue.take(signal); key !== undefined; key = await queue.take(signal)) {
      await runOnce(key, { options, queue, stats, signal })
      queue.done(key)
    }
  }
  return {
    name: options.name,
    enqueue: (name) => queue.add(name),
    stats,
    start: async (signal) => {
      await Promise.all(Array.from({ length: options.workers ?? 1 }, () => work(signal)))
      // Its timers would hold the process; a later start is told anew what there is to do.
      queue.clear()
    },
  }
}

interface Run {
  readonly options: ControllerOptions
  readonly queue: WorkQueue
  readonly stats: ControllerStats
  readonly signal: AbortSignal
}

async function runOnce(name: string, { options, queue, stats, signal }: Run): Promise<void> {
  const log = options.log.child({ controller: options.name, reconcileId: randomBytes(4).toString('hex') })
  stats.runs++
  try {
    const { requeueAfterMs } = await withDeadline(signal, options.timeoutMs ?? 30_000, (s) =>
      options.reconcile({ name }, { signal: s, log }),
    )
    queue.forget(name)
    if (requeueAfterMs !== undefined) queue.add(name, { afterMs: requeueAfterMs })
  } catch (error) {
    if (!signal.aborted) settleFailure(name, error, { queue, stats, log })
  }
}

function settleFailure(
  name: string,
  error: unknown,
  { queue, stats, log }: { queue: WorkQueue; stats: ControllerStats; log: Logger },
): void {
  if (error instanceof TerminalError) {
    stats.failures++
    queue.forget(name)
    log.error({ name, err: error }, 'reconcile gave up')
    return
  }
  const afterMs = queue.retry(name)
  if (isApiError(error, 409)) {
    stats.conflicts++
    log.debug({ name, afterMs }, 'object changed meanwhile')
    return
  }
  stats.failures++
  log.warn({ name, afterMs, err: error }, 'reconcile failed')
}
