/** What one check found: each problem is one line or block for a person to act on. */
export interface Outcome {
  readonly problems: readonly string[]
  /** What was looked at, in a few words, for the summary line. */
  readonly looked: string
}

export interface Check {
  readonly name: string
  run(): Promise<Outcome>
}
