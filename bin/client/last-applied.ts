/**
 * The annotation in which kubectl remembers what was applied. Ours is the same to the byte, so that an object may be
 * applied with either tool and the other one still finds it unchanged.
 */
import type { ApiObject } from '../../crds/kind.ts'
import type { Json } from './three-way.ts'

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** The object as it is to be, carrying the memory of itself. */
export function withLastApplied(object: ApiObject): ApiObject {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata.annotations ?? {}
  const bare = { ...object, metadata: { ...object.metadata, annotations } }
  const memory = `${goJson(bare)}\n`
  return { ...bare, metadata: { ...bare.metadata, annotations: { ...annotations, [LAST_APPLIED]: memory } } }
}

/** Undefined where the object was made by other means than apply, or the memory is damaged. */
export function lastApplied(object: ApiObject): Json | undefined {
  const text = object.metadata.annotations?.[LAST_APPLIED]
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Json) : undefined
  } catch {
    // Edited by hand: as good as none.
    return undefined
  }
}

/** As Go writes JSON: keys sorted, and the characters escaped that mean something to HTML or JavaScript. */
function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => goJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return escapeForHtml(JSON.stringify(value))
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  const fields = entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${goJson(key)}:${goJson(inner)}`)
  return `{${fields.join(',')}}`
}

function escapeForHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
