import type { Clock } from '../../controllers/lib/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time on; due timers run in order, and what they started gets its turn before the next. */
  advance(ms: number): Promise<void>
  /** Timers that are set and neither due nor cancelled. */
  readonly pending: number
}

interface Timer {
  readonly dueMs: number
  readonly fn: () => void
}

/** Time that stands still until a test moves it. Monotonic time starts at 0, wall time at 2026-01-01. */
export function createFakeClock(): FakeClock {
  const timers = new Set<Timer>()
  let nowMs = 0
  const nextDue = (untilMs: number): Timer | undefined =>
    [...timers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0]
  return {
    monotonicMs: () => nowMs,
    now: () => new Date(Date.UTC(2026, 0, 1) + nowMs),
    timer: (delayMs, fn) => {
      const timer = { dueMs: nowMs + delayMs, fn }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance: async (ms) => {
      const untilMs = nowMs + ms
      for (let timer = nextDue(untilMs); timer; timer = nextDue(untilMs)) {
        timers.delete(timer)
        nowMs = timer.dueMs
        timer.fn()
        await settle()
      }
      nowMs = untilMs
      await settle()
    },
    get pending() {
      return timers.size
    },
  }
}

/** One turn of the event loop: promises that are ready have run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
