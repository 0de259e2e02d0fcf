/** Requests that are built once and only get a number and a time stamped in before each sending. */

/** Eight digits go here; all places get the same. */
export const NUMBER = '########'
/** The time of sending, ms since 1970 with two decimals, goes here. */
export const STAMP = '@@@@@@@@@@@@@@@@'

export interface RequestParts {
  readonly method: string
  readonly path: string
  readonly host: string
  /** JSON unless given. */
  readonly accept?: string
  readonly type?: string
  readonly body?: string
}

/** A whole HTTP/1.1 request as text. */
export function requestText(parts: RequestParts): string {
  const { method, path, host, accept = 'application/json', type = 'application/json', body = '' } = parts
  const head = [`${method} ${path} HTTP/1.1`, `host: ${host}`, `accept: ${accept}`]
  const content = body === '' ? [] : [`content-type: ${type}`, `content-length: ${Buffer.byteLength(body)}`]
  return `${[...head, ...content].join('\r\n')}\r\n\r\n${body}`
}

/** A copy of the request with `number` in it, and the time of the call. */
export type Fill = (number: number) => Buffer

export function template(text: string): Fill {
  const bytes = Buffer.from(text)
  const numbers = placesOf(bytes, NUMBER)
  const stamps = placesOf(bytes, STAMP)
  return (number) => {
    const copy = Buffer.from(bytes)
    const digits = String(number).padStart(NUMBER.length, '0')
    for (const place of numbers) copy.write(digits, place, 'latin1')
    if (stamps.length === 0) return copy
    const stamp = wallClockMs().toFixed(2)
    for (const place of stamps) copy.write(stamp, place, 'latin1')
    return copy
  }
}

/** The clock that all processes of this box share, finer than Date.now(). */
export function wallClockMs(): number {
  return performance.timeOrigin + performance.now()
}

function placesOf(bytes: Buffer, mark: string): number[] {
  const places: number[] = []
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length)) places.push(at)
  return places
}
