/** Waits for systemd's jobs. A job's end may be told before the reply that names the job is read, so ends are kept. */

const MAX_EARLY = 2000

export interface JobTable {
  /** The job is over, with systemd's word for how. */
  ended(job: string, result: string): void
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
  return {
    ended(job, result) {
      const waiter = waiting.get(job)
      if (waiter) return waiter.resolve(result)
      early.set(job, result)
      const oldest = early.size > MAX_EARLY ? early.keys().next().value : undefined
      if (oldest !== undefined) early.delete(oldest)
    },
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
