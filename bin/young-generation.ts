/**
 * Keeps what starting needs from growing the heap for good. V8 doubles its young generation whenever as much has survived
 * in it as it holds, and hands nothing of it back; a start loads thousands of functions that all survive. Held small
 * meanwhile it stays at 1 MB until there is load that grows it: some 20 MB less for a process that idles.
 */
import { setFlagsFromString } from 'node:v8'

/** Modules are loaded, caches filled and watches open by then. */
const START_TAKES_MS = 5_000

/** For commands that stay; V8 reads this flag at each growth, unlike those that bound the size. */
export function startSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setTimeout(() => setFlagsFromString('--semi-space-growth-factor=2'), START_TAKES_MS).unref()
}
