/** A request as the written cases have it: `METHOD /target form`. */
import type { RawRequest } from './raw-client.ts'

export const FORM = 'application/x-www-form-urlencoded'

/** `contentType` '' sends none. */
export function requestOf(line: string, contentType = FORM): RawRequest {
  const [method = '', target = '', body] = line.split(' ')
  if (body === undefined) return { method, target }
  return { method, target, body, headers: contentType === '' ? [] : [['Content-Type', contentType]] }
}
