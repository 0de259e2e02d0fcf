/** Restart= and StartLimit*=, as systemd decides them. */
import type { Ending } from './life-state.ts'
import type { RestartPolicy, ServiceSpec } from './service-spec.ts'

export function shallRestart(policy: RestartPolicy, { result, forcedRestart }: Ending): boolean {
  if (forcedRestart !== undefined) return forcedRestart
  switch (policy) {
    case 'no':
    case 'on-watchdog':
      return false
    case 'always':
      return true
    case 'on-success':
      return result === 'success'
    case 'on-failure':
      return result !== 'success'
    case 'on-abnormal':
      return result !== 'success' && result !== 'exit-code'
    case 'on-abort':
      return result === 'signal'
    default:
      return policy satisfies never
  }
}

/** The rate limit: at most `burst` starts in `intervalMs`, those by hand included. */
export function startLimit(nowMs: () => number = () => performance.now()) {
  let starts: number[] = []
  return {
    take({ burst, intervalMs }: ServiceSpec['startLimit']): boolean {
      const now = nowMs()
      starts = starts.filter((at) => now - at < intervalMs)
      if (burst > 0 && intervalMs > 0 && starts.length >= burst) return false
      starts.push(now)
      return true
    },
  }
}
