/** Long-lived parts, and groups of them that start in order and stop in reverse (controllers before their caches). */
import { setMaxListeners } from 'node:events'

export interface Runnable {
  readonly name: string
  /**
   * Runs until `signal` fires and settles only when it has really stopped. A rejection means it cannot go on; settling
   * before the signal counts as a failure too.
   */
  start(signal: AbortSignal): Promise<void>
  /** When later members of a group may start; absent: at once. Never rejects. */
  readonly ready?: Promise<void>
}

interface Started {
  readonly name: string
  readonly stopping: AbortController
  readonly settled: Promise<void>
}

/** One runnable of many. When one fails, the others are stopped in reverse order and its error is thrown. */
export function group(name: string, members: readonly Runnable[]): Runnable {
  let markReady = (): void => {}
  const ready = new Promise<void>((resolve) => {
    markReady = resolve
  })
  return { name, ready, start: (signal) => runAll(members, signal, markReady) }
}

async function runAll(members: readonly Runnable[], signal: AbortSignal, markReady: () => void): Promise<void> {
  const started: Started[] = []
  const end = endOf(signal)
  try {
    for (const member of members) {
      if (end.signal.aborted) break
      started.push(startOne(member, end))
      await Promise.race([member.ready, end.reached])
    }
    if (!end.signal.aborted) markReady()
    await end.reached
  } finally {
    end.forget()
    await stopAll(started)
  }
  if (end.failure) throw end.failure
}

/** What ends the group: the caller's signal, or the first member that fails. */
interface End {
  readonly signal: AbortSignal
  readonly reached: Promise<void>
  failure: Error | undefined
  readonly reach: () => void
  readonly forget: () => void
}

function endOf(parent: AbortSignal): End {
  const controller = new AbortController()
  const reach = () => controller.abort()
  const reached = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  if (parent.aborted) reach()
  parent.addEventListener('abort', reach, { once: true })
  return {
    signal: controller.signal,
    reached,
    failure: undefined,
    reach,
    forget: () => parent.removeEventListener('abort', reach),
  }
}

function startOne(member: Runnable, end: End): Started {
  const stopping = new AbortController()
  // Every waiting worker of the member listens; that many is no leak.
  setMaxListeners(0, stopping.signal)
  const fail = (cause?: unknown): void => {
    if (stopping.signal.aborted && cause === undefined) return
    end.failure ??= new Error(cause === undefined ? `${member.name} ended by itself` : `running ${member.name}`, {
      cause,
    })
    end.reach()
  }
  const settled = Promise.resolve()
    .then(() => member.start(stopping.signal))
    .then(() => fail(), fail)
  return { name: member.name, stopping, settled }
}

async function stopAll(started: readonly Started[]): Promise<void> {
  for (const { stopping, settled } of started.toReversed()) {
    stopping.abort()
    await settled
  }
}
