/** What systemd's active states mean for whoever stops and starts. */
import type { ObservedUnit } from './driver.ts'

/** Anything that `stop` would change: `failed` and `inactive` have nothing left to stop. */
export function isRunning(seen: ObservedUnit | undefined): boolean {
  return seen !== undefined && seen.activeState !== 'inactive' && seen.activeState !== 'failed'
}

export function isStopping(seen: ObservedUnit | undefined): boolean {
  return seen?.activeState === 'deactivating'
}
