/**
 * Waits for systemd's jobs, and knows of which units the last one failed. A job's end may be told before the reply that names
 * the job is read, so ends are kept.
 */

const MAX_EARLY = 2000
const MAX_FAILURES = 2000
/** The others (done, canceled, skipped, …) leave a unit as it was asked to be, or as somebody else asked. */
const FAILURES = new Set(['failed', 'dependency', 'timeout', 'assert', 'unsupported'])

export interface JobTable {
  /** The job is over, with systemd's word for how. */
  ended(job: string, unit: string, result: string): void
  /** systemd's word for how the unit's last job failed; '' when it did not, as far as was seen. */
  failureOf(unit: string): string
  /** '' when the job has not ended within the time; rejects when the connection is lost meanwhile. */
  result(job: string, timeoutMs: number): Promise<string>
  rejectAll(error: Error): void
}

interface Waiter {
  readonly resolve: (result: string) => void
  readonly reject: (error: Error) => void
}

export function jobTable(): JobTable {
  const early = new Map<string, string>()
  const waiting = new Map<string, Waiter>()
  const failures = new Map<string, string>()
  return {
    ended(job, unit, result) {
      failures.delete(unit)
      if (FAILURES.has(result)) failures.set(unit, result)
      dropOldest(failures, MAX_FAILURES)
      const waiter = waiting.get(job)
      if (waiter) return waiter.resolve(result)
      early.set(job, result)
      dropOldest(early, MAX_EARLY)
    },
    failureOf: (unit) => failures.get(unit) ?? '',
    async result(job, timeoutMs) {
      const known = early.get(job)
      if (known !== undefined) return known
      let timer: NodeJS.Timeout | undefined
      try {
        return await new Promise<string>((resolve, reject) => {
          timer = setTimeout(() => resolve(''), timeoutMs)
          waiting.set(job, { resolve, reject })
        })
      } finally {
        clearTimeout(timer)
        waiting.delete(job)
      }
    },
    rejectAll(error) {
      early.clear()
      for (const waiter of waiting.values()) waiter.reject(error)
    },
  }
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  const oldest = map.size > most ? map.keys().next().value : undefined
  if (oldest !== undefined) map.delete(oldest)
}
