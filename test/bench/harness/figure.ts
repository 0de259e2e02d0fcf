/** What a benchmark answers with. */
import { median } from './statistics.ts'

export type Unit = 'µs' | 'ms' | 's' | '/s' | 'MB' | 'events' | '×'

/** What the design asks for (design.md §8). */
export interface Bar {
  readonly at: 'most' | 'least'
  readonly value: number
}

export interface Figure {
  /** For example `create/s, 32 connections`. */
  readonly what: string
  /** Who was measured: us, or a peer in the same run. */
  readonly who: string
  readonly unit: Unit
  /** One value a run; the median is what is quoted. */
  readonly runs: readonly number[]
  readonly bar?: Bar
}

/** A number from elsewhere, for orientation: it was not measured in this run. */
export interface Reference {
  readonly what: string
  readonly source: string
}

export interface Answer {
  readonly figures: readonly Figure[]
  readonly references?: readonly Reference[]
  /** What a reader must know to judge the figures. */
  readonly notes?: readonly string[]
}

export interface Settings {
  /** A short form that only shows that everything works: fewer and shorter runs. */
  readonly quick: boolean
  /** Tells a person what goes on; never part of the result. */
  readonly say: (text: string) => void
}

export interface Question {
  readonly name: string
  /** In words, as docs/performance.md asks it. */
  readonly asks: string
  /** Why it cannot be asked here; undefined where it can. */
  readonly lacking?: () => string | undefined
  readonly run: (settings: Settings) => Promise<Answer>
}

export const atMost = (value: number): Bar => ({ at: 'most', value })
export const atLeast = (value: number): Bar => ({ at: 'least', value })

/** `met`, or by how many percent of the bar the median misses it. */
export function verdict({ runs, bar }: Figure): string | undefined {
  if (bar === undefined) return undefined
  const value = median(runs)
  if (bar.at === 'most' ? value <= bar.value : value >= bar.value) return 'met'
  if (bar.value === 0) return 'missed'
  return `misses by ${Math.ceil(Math.abs(value / bar.value - 1) * 100)} %`
}
