export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
  /** Share of the delay that is random, 0 to 1: keeps many clients from coming back in the same instant. */
  readonly jitter?: number
  /** Between 0 and 1; injected by tests. */
  readonly random?: () => number
}

/** Delays that double: firstMs, 2 × firstMs, … maxMs, each shortened by up to `jitter` of itself. */
export interface Backoff {
  nextMs(): number
  reset(): void
}

export function createBackoff(options: BackoffOptions): Backoff {
  let failures = 0
  return {
    nextMs: () => backoffMs(options, failures++),
    reset: () => {
      failures = 0
    },
  }
}

/** The delay after so many earlier failures (0: the first). */
export function backoffMs({ firstMs, maxMs, jitter = 0.2, random = Math.random }: BackoffOptions, failures: number) {
  // 2^30 is beyond any maxMs; without the bound a long outage would overflow to Infinity × 0.
  const fullMs = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30))
  return fullMs * (1 - jitter * random())
}
