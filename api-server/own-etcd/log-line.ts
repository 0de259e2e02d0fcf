/** etcd's log (zap's JSON) as lines of ours: its alarms stay alarms, its chatter becomes debug. */

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly text: string
  /** What it said beside the message. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** `fatal` and `panic` end etcd, not us. */
const LEVELS: Readonly<Record<string, LogLine['level']>> = {
  debug: 'debug',
  info: 'debug',
  warn: 'info',
  error: 'warn',
  dpanic: 'error',
  panic: 'error',
  fatal: 'error',
}

/** A line that is not zap's (a Go panic, say) is told as it is. */
export function etcdLogLine(line: string): LogLine {
  const parsed = parse(line)
  if (parsed === undefined) return { level: 'info', text: line, fields: {} }
  const { level, ts: _, caller: __, msg, ...fields } = parsed
  return { level: LEVELS[String(level)] ?? 'info', text: String(msg), fields }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined // not JSON is an answer here
  }
}
