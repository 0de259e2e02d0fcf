/** Request bodies: JSON, YAML or protobuf to a value, with its duplicate fields. */
import { badRequest, type StatusError, tooLarge, unsupportedMediaType } from '../registry/errors.ts'
import { MAX_DEPTH, MAX_VALUES, scanJson } from '../registry/json-scan.ts'
import { decodeProtobuf, PROTOBUF } from './protobuf/index.ts'

export const MAX_BODY_BYTES = 3 * 1024 * 1024

export interface Body {
  readonly value: unknown
  /** `duplicate field "spec.content"`. */
  readonly duplicates: readonly string[]
}

export const ACCEPTED = ['application/json', 'application/yaml', PROTOBUF]

/** `application/json; charset=utf-8` → `application/json`; no type at all means JSON (kubectl scale sends none). */
export function mediaTypeOf(contentType: string | undefined): string {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return type === '' || type === '*/*' ? 'application/json' : type
}

/** `type` is the kind that the body should hold, for the error message. Throws 400, 413, 415. */
export async function decodeBody(bytes: unknown, mediaType: string, type: string): Promise<Body> {
  if (mediaType === PROTOBUF)
    return { value: decodeProtobuf(Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)), duplicates: [] }
  const text = Buffer.isBuffer(bytes) ? bytes.toString() : ''
  if (mediaType === 'application/json' || (mediaType.endsWith('+json') && mediaType.startsWith('application/')))
    return decodeJson(text, type)
  if (mediaType === 'application/yaml' || mediaType === 'application/apply-patch+yaml') return decodeYaml(text, type)
  throw unsupportedMediaType(ACCEPTED)
}

function decodeJson(text: string, type: string): Body {
  try {
    // First the scan: JSON.parse takes a third of a second for three megabytes of brackets.
    const { duplicates, tooDeep, tooMany } = scanJson(text)
    if (tooDeep) throw new Error(`nested deeper than ${MAX_DEPTH} levels`)
    if (tooMany) throw new Error(`more than ${MAX_VALUES} values`)
    return { value: JSON.parse(text), duplicates: duplicates.map((path) => `duplicate field "${path}"`) }
  } catch (error) {
    throw unrecognized(type, 'json parse error', error)
  }
}

/** Reading YAML takes some fifty times as long as JSON, and nobody else is served meanwhile. */
const MAX_YAML_BYTES = 256 * 1024

async function decodeYaml(text: string, type: string): Promise<Body> {
  if (text.startsWith('{') && isJson(text)) return decodeJson(text, type)
  if (text.length > MAX_YAML_BYTES) throw tooLarge(MAX_YAML_BYTES)
  const { parseManifest } = await import('../../crds/yaml.ts')
  let json: string
  try {
    json = JSON.stringify(parseManifest(text) ?? null)
  } catch (error) {
    throw unrecognized(type, 'yaml parse error', error)
  }
  return decodeJson(json, type)
}

/** kubectl applies in JSON, which is YAML, too, but read a hundred times as fast. */
function isJson(text: string): boolean {
  try {
    const { tooDeep, tooMany } = scanJson(text)
    if (!tooDeep && !tooMany) JSON.parse(text)
    return true
  } catch {
    return false // then it may still be a YAML flow mapping
  }
}

function unrecognized(type: string, what: string, why: unknown): StatusError {
  const text = (why instanceof Error ? why.message : String(why)).slice(0, 300)
  return badRequest(
    `the object provided is unrecognized (must be of type ${type}): couldn't get version/kind; ${what}: ${text}`,
  )
}
