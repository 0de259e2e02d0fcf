/** Kubernetes quantities as numbers that add up exactly: cpu in thousandths of a core, everything else in whole units. */
import { quantityNumber } from '../../crds/quantity.ts'

export type Quantities = ReadonlyMap<string, number>

/** Requests are rounded up and what a machine has is rounded down, so that rounding never oversubscribes. */
export function quantities(
  from: Readonly<Record<string, string | number>> | undefined,
  round: (value: number) => number,
): Quantities {
  return new Map(
    Object.entries(from ?? {}).map(([name, text]) => [name, round(quantityNumber(text) * (name === 'cpu' ? 1000 : 1))]),
  )
}

const BINARY = { Gi: 2 ** 30, Mi: 2 ** 20, Ki: 2 ** 10 }
const BINARY_SUFFIXES = ['Gi', 'Mi', 'Ki'] as const

/** For people: `1500m`, `512Mi`, `3`. */
export function quantityText(name: string, value: number): string {
  if (name === 'cpu') return value % 1000 === 0 ? String(value / 1000) : `${value}m`
  if (name !== 'memory') return String(value)
  const unit = BINARY_SUFFIXES.find((each) => value !== 0 && value % BINARY[each] === 0)
  return unit ? `${value / BINARY[unit]}${unit}` : String(value)
}
