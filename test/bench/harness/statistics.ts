/** The few statistics a benchmark here may use. All of them refuse an empty sample: a number out of nothing is a lie. */

/** Nearest rank: the smallest value that at least `percent` of the sample does not exceed. */
export function percentile(sample: readonly number[], percent: number): number {
  if (percent < 0 || percent > 100) throw new RangeError(`percentile ${percent} is not between 0 and 100`)
  const sorted = ascending(sample)
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length))
  return sorted[rank - 1] ?? Number.NaN
}

/** The middle value; of an even count the mean of the two in the middle. */
export function median(sample: readonly number[]): number {
  const sorted = ascending(sample)
  const upper = Math.floor(sorted.length / 2)
  const lower = Math.ceil(sorted.length / 2) - 1
  return ((sorted[lower] ?? Number.NaN) + (sorted[upper] ?? Number.NaN)) / 2
}

export interface Spread {
  readonly count: number
  readonly min: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Latencies in the few figures that are quoted. */
export function spreadOf(sample: readonly number[]): Spread {
  const sorted = ascending(sample)
  return {
    count: sorted.length,
    min: percentile(sorted, 0),
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    max: percentile(sorted, 100),
  }
}

function ascending(sample: readonly number[]): number[] {
  if (sample.length === 0) throw new RangeError('no sample')
  if (sample.some(Number.isNaN)) throw new RangeError('a sample that is not a number')
  return sample.toSorted((a, b) => a - b)
}
