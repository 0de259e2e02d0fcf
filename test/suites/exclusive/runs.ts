/** What exclusive units did, from what they wrote themselves: do two runs overlap, did a token ever fall. Pure. */

/** One life of the unit on a machine. Times are seconds of the clock that all machines of a box share. */
export interface Run {
  readonly machine: string
  readonly invocation: string
  readonly token: number
  readonly fromS: number
  readonly toS: number
}

/** A write of the unit to the resource that it guards. */
export interface Write {
  readonly machine: string
  readonly token: number
  readonly atS: number
}

/** Pairs that ran at the same time, each told in a sentence. */
export function overlaps(runs: readonly Run[]): string[] {
  const inTime = runs.toSorted((one, other) => one.fromS - other.fromS)
  const found: string[] = []
  let last: Run | undefined
  for (const run of inTime) {
    if (last !== undefined && run.fromS <= last.toS)
      found.push(`${told(run)} began ${(last.toS - run.fromS).toFixed(3)} s before ${told(last)} ended`)
    if (last === undefined || run.toS > last.toS) last = run
  }
  return found
}

/** Holders that came later with a token that was not greater. */
export function fallenTokens(runs: readonly Run[]): string[] {
  const inTime = runs.toSorted((one, other) => one.fromS - other.fromS)
  return inTime.flatMap((run, index) => {
    const before = inTime.slice(0, index)
    const wrong = before.find(({ machine, token }) => machine !== run.machine && token >= run.token)
    return wrong === undefined ? [] : [`${told(run)} came after ${told(wrong)}`]
  })
}

function told({ machine, token, invocation }: Run): string {
  return `${machine} (token ${token}, ${invocation.slice(0, 8)})`
}

export interface Verdict {
  readonly accepted: number
  readonly refused: number
  /** Accepted writes with the token of another machine's later one: there must be none. */
  readonly mixed: number
}

/** A resource that takes no write with a smaller token than the greatest it has seen. */
export function guardedResource(writes: readonly Write[]): Verdict {
  let greatest = 0
  let owner = ''
  const verdict = { accepted: 0, refused: 0, mixed: 0 }
  for (const { machine, token } of writes.toSorted((one, other) => one.atS - other.atS)) {
    if (token < greatest) verdict.refused += 1
    else {
      if (token === greatest && machine !== owner) verdict.mixed += 1
      verdict.accepted += 1
      greatest = token
      owner = machine
    }
  }
  return verdict
}
