/** Kubernetes quantities as numbers that add up exactly: cpu in thousandths of a core, everything else in whole units. */

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
}

export type Quantities = ReadonlyMap<string, number>

/** Requests are rounded up and what a machine has is rounded down, so that rounding never oversubscribes. */
export function quantities(
  from: Readonly<Record<string, string | number>> | undefined,
  round: (value: number) => number,
): Quantities {
  return new Map(
    Object.entries(from ?? {}).map(([name, text]) => [name, round(toNumber(text) * (name === 'cpu' ? 1000 : 1))]),
  )
}

function toNumber(quantity: string | number): number {
  const [, number, suffix = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(String(quantity)) ?? []
  // 0.1 × 1e3 and its like must not become 100.00000000000001, which would be rounded up.
  return Number((Number(number) * (SUFFIXES[suffix] ?? 1)).toPrecision(15))
}

/** For people: `1500m`, `512Mi`, `3`. */
export function quantityText(name: string, value: number): string {
  if (name === 'cpu') return value % 1000 === 0 ? String(value / 1000) : `${value}m`
  if (name !== 'memory') return String(value)
  const unit = (['Gi', 'Mi', 'Ki'] as const).find((each) => value !== 0 && value % (SUFFIXES[each] ?? 1) === 0)
  return unit ? `${value / (SUFFIXES[unit] ?? 1)}${unit}` : String(value)
}
