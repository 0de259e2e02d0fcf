/** Request bodies: JSON or YAML text to a value, with its duplicate fields; protobuf is named and refused. */
import { badRequest, StatusError, unsupportedMediaType } from '../registry/errors.ts'
import { MAX_DEPTH, scanJson } from '../registry/json-scan.ts'

export const MAX_BODY_BYTES = 3 * 1024 * 1024

export interface Body {
  readonly value: unknown
  /** `duplicate field "spec.content"`. */
  readonly duplicates: readonly string[]
}

const ACCEPTED = ['application/json', 'application/yaml']

/** `application/json; charset=utf-8` → `application/json`; no type at all means JSON (kubectl scale sends none). */
export function mediaTypeOf(contentType: string | undefined): string {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return type === '' || type === '*/*' ? 'application/json' : type
}

export async function decodeBody(bytes: unknown, mediaType: string): Promise<Body> {
  const text = Buffer.isBuffer(bytes) ? bytes.toString() : ''
  if (mediaType === 'application/json' || (mediaType.endsWith('+json') && mediaType.startsWith('application/')))
    return decodeJson(text)
  if (mediaType === 'application/yaml' || mediaType === 'application/apply-patch+yaml') return decodeYaml(text)
  if (mediaType === 'application/vnd.kubernetes.protobuf') throw protobufRefused()
  throw unsupportedMediaType(ACCEPTED)
}

function protobufRefused(): StatusError {
  const way = 'send JSON instead, for example: kubectl create … --dry-run=client -o yaml | kubectl apply -f -'
  return new StatusError(415, 'UnsupportedMediaType', `protobuf request bodies are not accepted: ${way}`)
}

function decodeJson(text: string): Body {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badRequest(`json parse error: ${error instanceof Error ? error.message : String(error)}`)
  }
  const { duplicates, tooDeep } = scanJson(text)
  if (tooDeep) throw badRequest(`json parse error: nested deeper than ${MAX_DEPTH} levels`)
  return { value, duplicates: duplicates.map((path) => `duplicate field "${path}"`) }
}

async function decodeYaml(text: string): Promise<Body> {
  const { parseManifest } = await import('../../crds/yaml.ts')
  try {
    return decodeJson(JSON.stringify(parseManifest(text) ?? null))
  } catch (error) {
    throw badRequest(`yaml parse error: ${error instanceof Error ? error.message : String(error)}`)
  }
}
