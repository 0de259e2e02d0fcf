/** What `why` answers, before it is laid out. */
export interface Explanation {
  /** One sentence: how it is. */
  readonly verdict: string
  readonly tone: 'good' | 'warn' | 'bad'
  /** Why, one fact a line. */
  readonly because: readonly string[]
  /** Commands or actions that lead on. */
  readonly next: readonly string[]
}

/** `0 of 2 machines can take it: m1: not ready (X); m2: tainted Y` to a headline and a line a machine. */
export function splitReasons(message: string): string[] {
  const [, head, details] = /^(\d+ of \d+ machines [^:]*): (.*)$/s.exec(message) ?? []
  return head === undefined || details === undefined
    ? [message]
    : [head, ...details.split('; ').map((each) => `  ${each}`)]
}
