/** Logs go to stderr, so that what a command prints can be piped. */
import pino, { type Logger } from 'pino'

export function createLog(level: string, name: string): Logger {
  const destination = pino.destination({ dest: 2, sync: true })
  return pino({ level, name, base: { name }, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}
