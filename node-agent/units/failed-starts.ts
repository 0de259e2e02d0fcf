/**
 * Starts that the manager took and then would not do: systemd refuses a timer, a path or a socket as long as it knows no
 * unit of the name that they start, and that one may come a moment later. A file that came since the start may be what
 * was lacking, so the start is due again: once for all files that came, not again and again.
 */
import type { Memory } from './memory.ts'

export function forgetFailedStarts({ records, observed, installs, startedAfter }: Memory): void {
  for (const [uid, record] of records) {
    const isFailed = record.started && observed.get(record.unitName)?.jobResult !== undefined
    if (isFailed && (startedAfter.get(uid) ?? 0) < installs) records.set(uid, { ...record, started: false })
  }
}
