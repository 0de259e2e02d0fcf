/** Journal lines as people and programs read them. */
import { hostname } from 'node:os'
import type { LogLine } from '../units/driver.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** One line with its newline, as `journalctl --output=short` prints it; `decorate` may colour the host's name. */
export function renderLine(line: LogLine, host = hostname(), decorate = (text: string) => text): string {
  const { pid, identifier, message } = line
  const time = shortTime(line.timestampUs)
  const source = pid === undefined ? identifier : `${identifier}[${pid}]`
  const head = `${time} ${decorate(host)} ${source}: `
  if (!message.includes('\n')) return `${head}${message}\n`
  const width = `${time} ${host} ${source}: `.length
  return `${head}${message.replaceAll('\n', `\n${' '.repeat(width)}`)}\n`
}

let lastSecond = -1
let lastText = ''

/** Most lines share their second with the one before. */
function shortTime(timestampUs: number): string {
  const second = Math.floor(timestampUs / 1e6)
  if (second !== lastSecond) {
    lastSecond = second
    lastText = timeText(new Date(second * 1000))
  }
  return lastText
}

function timeText(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${MONTHS[time.getMonth()]} ${two(time.getDate())} ${clock}`
}
