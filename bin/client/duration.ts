const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90`, `60s`, `1m30s`, `2h` to milliseconds; a bare number is seconds. Throws a sentence that shows the form. */
export function parseDurationMs(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text)
    throw new Error(`"${text}" is no duration: give for example 90s, 5m or 1h30m`)
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit ?? ''] ?? 0), 0)
}

/** The moment that `--since` names: a duration ago, or a date. Throws a sentence. */
export function parseSinceMs(text: string, nowMs: number): number {
  if (/^[\d.]+(ms|[smhd])/.test(text)) return nowMs - parseDurationMs(text)
  const dateMs = Date.parse(text)
  if (!Number.isNaN(dateMs)) return dateMs
  throw new Error(`"${text}" is neither a duration (10m, 2h) nor a date (2026-11-21T13:00:00Z)`)
}
