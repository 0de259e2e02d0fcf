import type { ApiObject, Violation } from '../kind.ts'

const WHOLE = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Line ends inside base64 are let pass, as everywhere in Kubernetes; they are taken out before storing. */
export function withoutLineEnds(value: string): string {
  return value.replaceAll(/[\r\n]/g, '')
}

/** Refuses values of the map at `field` that are not base64: they could never be read. */
export function checkBase64(object: ApiObject, field: string): Violation[] {
  return Object.entries((object[field] ?? {}) as Record<string, string>).flatMap(([key, value]) =>
    WHOLE.test(withoutLineEnds(value))
      ? []
      : [
          {
            path: [`${field}[${key}]`],
            message: `illegal base64 data at input byte ${firstBad(value)}`,
            reason: 'Malformed',
          },
        ],
  )
}

function firstBad(value: string): number {
  const at = value.search(/[^A-Za-z0-9+/\r\n]/)
  return at < 0 ? value.length : at
}
