/**
 * One line of the journal as `journalctl --output=json` writes it (systemd: Journal JSON Format). This is also how a log
 * travels: the machine passes journalctl's bytes on, and whoever shows them takes them apart.
 */
import type { LogLine } from './driver.ts'

export interface JournalEntry extends LogLine {
  /** syslog's 0 (emergency) to 7 (debug). */
  readonly priority: number
}

/** Undefined for what is no entry: an empty line (a sign of life), or one that was cut off. */
export function parseEntry(line: string): JournalEntry | undefined {
  if (line === '') return undefined
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) as Record<string, unknown>
  } catch {
    // journalctl was killed in mid-line, or wrote a notice of its own.
    return undefined
  }
  const pid = Number(fields._PID)
  const entry = {
    cursor: String(fields.__CURSOR ?? ''),
    timestampUs: Number(fields.__REALTIME_TIMESTAMP ?? 0),
    message: text(fields.MESSAGE),
    identifier: text(fields.SYSLOG_IDENTIFIER),
    priority: Number(fields.PRIORITY ?? 6),
  }
  return pid > 0 ? { ...entry, pid } : entry
}

/** The same for a log that is no journal's. */
export function entryJson({ cursor, timestampUs, message, identifier, pid }: LogLine): string {
  return JSON.stringify({
    __CURSOR: cursor,
    __REALTIME_TIMESTAMP: String(timestampUs),
    MESSAGE: message,
    SYSLOG_IDENTIFIER: identifier,
    ...(pid === undefined ? {} : { _PID: String(pid) }),
  })
}

/** A field that is no UTF-8 comes as numbers, a repeated one as a list of values. */
function text(field: unknown): string {
  if (typeof field === 'string') return field
  if (!Array.isArray(field)) return ''
  return field.every((byte) => typeof byte === 'number')
    ? Buffer.from(field).toString('utf8')
    : field.map(text).join('\n')
}
