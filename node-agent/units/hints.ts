/**
 * Damps the manager's hints. Looking at a unit may itself be told as a change (systemd loads an idle unit to answer, and
 * unloads it again), and a service may chatter about itself; either would keep the agent looking for ever. A unit that
 * was looked at again and again and stayed as it was is therefore looked at ever less often, down to twice a second.
 */
export interface Hints {
  /** The manager says that these units may have changed. */
  tell(names: readonly string[]): void
  /** A look at the unit found it changed, or as it was. */
  looked(name: string, isChanged: boolean): void
  /** Something was done to the unit: what is told next is news. */
  acted(name: string): void
}

export interface HintsOptions {
  /** Look at these units now. */
  readonly onDue: (names: readonly string[]) => void
  readonly signal: AbortSignal
  readonly nowMs?: () => number
}

/** So many looks in vain are normal: a start alone is told several times. */
const FREE_LOOKS = 4
const FIRST_DELAY_MS = 20
const MAX_DELAY_MS = 500

interface Calm {
  /** Looks in a row that found nothing new. */
  readonly looks: number
  readonly lastMs: number
}

export function createHints({ onDue, signal, nowMs = () => performance.now() }: HintsOptions): Hints {
  const calm = new Map<string, Calm>()
  const late = new Set<string>()
  const delayMs = (name: string): number => {
    const { looks, lastMs } = calm.get(name) ?? { looks: 0, lastMs: 0 }
    if (looks < FREE_LOOKS) return 0
    const pauseMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(looks - FREE_LOOKS, 10))
    return lastMs + pauseMs - nowMs()
  }
  const tellLate = (name: string, afterMs: number): void => {
    if (late.has(name) || signal.aborted) return
    late.add(name)
    const due = (): void => {
      if (late.delete(name)) onDue([name])
    }
    setTimeout(due, afterMs).unref()
  }
  return {
    tell: (names) => {
      const due: string[] = []
      for (const name of names) {
        const afterMs = delayMs(name)
        if (afterMs > 0) tellLate(name, afterMs)
        else due.push(name)
      }
      if (due.length > 0) onDue(due)
    },
    looked: (name, isChanged) => {
      if (isChanged) calm.delete(name)
      else calm.set(name, { looks: (calm.get(name)?.looks ?? 0) + 1, lastMs: nowMs() })
    },
    acted: (name) => {
      calm.delete(name)
      if (late.delete(name)) onDue([name])
    },
  }
}
