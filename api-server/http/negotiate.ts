/** What form of answer a client asked for: the object, a Table, or its metadata (spec: Kubernetes API, §0 and §4.3). */
import { badRequest, StatusError, shown } from '../registry/errors.ts'
import type { IncludeObject } from '../registry/table.ts'

export type Form = 'object' | 'table' | 'partial'

const AS: ReadonlyMap<string, Form> = new Map([
  ['table', 'table'],
  ['partialobjectmetadata', 'partial'],
  ['partialobjectmetadatalist', 'partial'],
])

/** The first media range that we can serve; JSON also answers who asked for protobuf. Throws 406. */
export function negotiate(accept: string | undefined): Form {
  if (accept === undefined || accept === '') return 'object'
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    if (!isServed(type)) continue
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3)
    if (as === undefined) return 'object'
    const form = AS.get(as)
    if (form && !parameters.includes('v=v1beta1')) return form
  }
  if (accept.includes('protobuf')) return 'object'
  throw new StatusError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/json;stream=watch',
  )
}

function isServed(type: string): boolean {
  return type === 'application/json' || type === '*/*' || type === 'application/*'
}

export function parseInclude(text: string | null): IncludeObject {
  if (text === null || text === '' || text === 'Metadata') return 'Metadata'
  if (text === 'None' || text === 'Object') return text
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${shown(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}
