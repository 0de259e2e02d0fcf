/** Journal lines as people and programs read them. */
import { hostname } from 'node:os'
import type { LogLine } from '../units/driver.ts'

export type LogFormat = 'json' | 'short'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** One line with its newline: the line as JSON, or what `journalctl --output short` prints. */
export function renderLine(line: LogLine, format: LogFormat, host = hostname()): string {
  if (format === 'json') return `${JSON.stringify(line)}\n`
  const source = line.pid === undefined ? line.identifier : `${line.identifier}[${line.pid}]`
  const head = `${shortTime(new Date(line.timestampUs / 1000))} ${host} ${source}: `
  return `${head}${line.message.replaceAll('\n', `\n${' '.repeat(head.length)}`)}\n`
}

function shortTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${MONTHS[time.getMonth()]} ${two(time.getDate())} ${clock}`
}
