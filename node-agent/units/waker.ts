/** A flag that a loop sleeps on: set any number of times, it wakes the loop once. */
export interface Waker {
  readonly wake: () => void
  /** Resolves when woken (also if that happened before), after `timeoutMs`, or when `signal` fires. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>
}

export function createWaker(): Waker {
  let isSet = false
  let wakeWaiter: (() => void) | undefined
  return {
    wake: () => {
      isSet = true
      wakeWaiter?.()
    },
    wait: async (timeoutMs, signal) => {
      if (!isSet && !signal.aborted) await waitFor(timeoutMs, signal, (wake) => (wakeWaiter = wake))
      wakeWaiter = undefined
      isSet = false
    },
  }
}

function waitFor(timeoutMs: number, signal: AbortSignal, register: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, timeoutMs)
    signal.addEventListener('abort', end, { once: true })
    register(end)
  })
}
