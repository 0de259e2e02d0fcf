/** What a container asks for and may use. */
import * as z from 'zod'
import { Quantity } from '../../metadata.ts'
import { keyedList } from '../lists.ts'

const Quantities = z.record(z.string(), Quantity)

export const Resources = z.strictObject({
  limits: Quantities.optional().describe('The most that may be used, by resource: cpu, memory …'),
  requests: Quantities.optional().describe('What is set aside; the limits where it is left out.'),
  claims: keyedList(z.strictObject({ name: z.string(), request: z.string().optional() }), 'name').optional(),
})

const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** The amount that a quantity such as `500m` or `2Gi` stands for; NaN for what is none. */
export function amountOf(quantity: unknown): number {
  if (typeof quantity === 'number') return quantity
  const [, digits, unit = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(String(quantity)) ?? []
  return Number(digits ?? Number.NaN) * (unit === '' ? 1 : (UNITS[unit] ?? Number.NaN))
}
