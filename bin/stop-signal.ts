import { setMaxListeners } from 'node:events'

/** Ctrl-C and SIGTERM as an AbortSignal: the first asks everything to stop, the second does not wait for it. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal) // every long-lived part of the process listens to this one signal
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort(new Error(name))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop)
  return controller.signal
}

export function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
