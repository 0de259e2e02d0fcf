/**
 * Rounds: everybody who is compared has a turn in each, so that a box that gets busier meanwhile slows all of them, and
 * the first round warms up and is not counted.
 */
import type { Bar, Figure, Unit } from './figure.ts'

/** Collects the values of all runs under `who` and `what`, in the order in which they were first named. */
export interface Collector {
  add(who: string, what: string, unit: Unit, value: number, bar?: Bar): void
  figures(): Figure[]
}

export function collector(): Collector {
  const kept = new Map<string, Figure & { readonly runs: number[] }>()
  return {
    add(who, what, unit, value, bar) {
      const key = `${what}\n${who}`
      const figure = kept.get(key) ?? { who, what, unit, runs: [], ...(bar && { bar }) }
      figure.runs.push(value)
      kept.set(key, figure)
    },
    figures: () => [...kept.values()],
  }
}

export type Round = (collect: Collector, round: number) => Promise<void>

/** Runs `round` once for warmth and `count` times for the record. */
export async function rounds(count: number, warmups: number, round: Round): Promise<Figure[]> {
  const thrownAway = collector()
  for (let i = 0; i < warmups; i++) await round(thrownAway, i)
  const collect = collector()
  for (let i = 0; i < count; i++) await round(collect, warmups + i)
  return collect.figures()
}
