/** Kubernetes quantities (`1500m`, `64Mi`, `1e3`) as numbers. */

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
}

/** NaN for what is no quantity. */
export function quantityNumber(quantity: string | number): number {
  const [, number, suffix = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(String(quantity)) ?? []
  // 0.1 × 1e3 and its like must not become 100.00000000000001, which would be rounded up.
  return Number((Number(number) * (SUFFIXES[suffix] ?? (suffix === '' ? 1 : Number.NaN))).toPrecision(15))
}
