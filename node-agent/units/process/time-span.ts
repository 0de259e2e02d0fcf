/** systemd's time spans: `90`, `5min 20s`, `1.5h`, `infinity`; a bare number is seconds. */

const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  usec: 0.001,
  µs: 0.001,
  ms: 1,
  msec: 1,
  '': 1000,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
}

/** Milliseconds, `Infinity` for "infinity"; undefined when it is no time span. */
export function parseTimeSpanMs(text: string): number | undefined {
  const trimmed = text.trim()
  if (trimmed === 'infinity') return Number.POSITIVE_INFINITY
  if (!/^(?:\d+(?:\.\d+)?\s*[a-zµ]*\s*)+$/.test(trimmed)) return undefined
  let totalMs = 0
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*([a-zµ]*)/g)) {
    const unitMs = UNIT_MS[unit ?? '']
    if (unitMs === undefined) return undefined
    totalMs += Number(amount) * unitMs
  }
  return totalMs
}
