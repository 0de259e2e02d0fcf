interface Waiter {
  readonly pattern: RegExp
  readonly resolve: (match: RegExpExecArray) => void
  readonly reject: (reason: Error) => void
}

/** The lines that a process has written, and the means to wait for one. Bounded: older lines fall out. */
export interface ProcessLines {
  readonly lines: readonly string[]
  add(line: string): void
  /** No more lines will come: whoever still waits is refused. */
  end(why: string): void
  /** The first line, kept or future, that matches. Rejects when the lines end without one. */
  first(pattern: RegExp): Promise<RegExpExecArray>
  /** The newest lines as text, for error messages. */
  tail(): string
}

const SHOWN_LINES = 30

function matchIn(line: string, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = 0 // a pattern with the g or y flag remembers where it stopped
  return pattern.exec(line)
}

export function processLines(keptLines: number): ProcessLines {
  const lines: string[] = []
  const waiters = new Set<Waiter>()
  let ended: string | undefined

  function offer(waiter: Waiter, line: string): boolean {
    const match = matchIn(line, waiter.pattern)
    if (!match) return false
    waiters.delete(waiter)
    waiter.resolve(match)
    return true
  }

  function first(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const waiter = { pattern, resolve, reject }
      if (lines.some((line) => offer(waiter, line))) return
      if (ended === undefined) waiters.add(waiter)
      else reject(new Error(`${ended} without a line like ${pattern}`))
    })
  }

  return {
    lines,
    first,
    add(line) {
      lines.push(line)
      if (lines.length > keptLines) lines.shift()
      for (const waiter of [...waiters]) offer(waiter, line)
    },
    end(why) {
      ended = why
      for (const { pattern, reject } of waiters) reject(new Error(`${why} without a line like ${pattern}`))
      waiters.clear()
    },
    tail: () => lines.slice(-SHOWN_LINES).join('\n') || '(no output)',
  }
}
