/**
 * How objects lie in the store, and how they leave it. The resourceVersion of an object is the revision of the write
 * that put it there, which is known only after the write: so it is not stored, but spliced into the stored bytes at a
 * place that is the same for every object of a kind. One copy of bytes an object then serves every reader.
 *
 * managedFields stand right behind that place: often larger than all the rest, and asked for by almost nobody, they can
 * be left out before the rest is parsed.
 */
import type { ApiObject, Kind } from '../../crds/kind.ts'

const OBJECTS = '/r/'

/** `/r/<group or core>/<plural>/<namespace or ->/<name>` (D2). */
export function storeKey(kind: Kind, namespace: string | undefined, name: string): string {
  return `${kindPrefix(kind)}${namespace ?? '-'}/${name}`
}

/** Where the kind's objects are stored; a view has none of its own. */
export function kindPrefix(kind: Pick<Kind, 'group' | 'plural' | 'view'>): string {
  const { group, plural } = kind.view?.of ?? kind
  return `${OBJECTS}${group === '' ? 'core' : group}/${plural}/`
}

export const objectsPrefix = OBJECTS

function header(apiVersion: string, kind: string): string {
  return `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},${METADATA}`
}

const METADATA = '"metadata":{'

export interface Encoding {
  /** Bytes to store: no resourceVersion, metadata first. */
  encode(object: ApiObject): Buffer
  /** Bytes to serve: the stored ones with the resourceVersion, where there is one yet, in place. */
  render(stored: Uint8Array, version: bigint | undefined): Buffer
}

export function encodingOf(kind: Kind): Encoding {
  const storedHead = header(kind.storedAs, kind.kind)
  const head = header(kind.apiVersion, kind.kind)
  return {
    encode: (object) => Buffer.from(storedHead + encodeRest(object)),
    render: (stored, version) => {
      const rest = stored.subarray(headLength(stored))
      const splice = version === undefined ? head : `${head}"resourceVersion":"${version}",`
      const bytes = Buffer.allocUnsafeSlow(splice.length + rest.length)
      bytes.write(splice, 0, 'latin1')
      bytes.set(rest, splice.length)
      return bytes
    },
  }
}

/** Objects of a users' own kind may be stored in another version than the one they are shown in, of another length. */
function headLength(stored: Uint8Array): number {
  return Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).indexOf(METADATA) + METADATA.length
}

function encodeRest(object: ApiObject): string {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object
  const { resourceVersion: _version, managedFields, name, ...meta } = metadata
  const fields = JSON.stringify(rest)
  const managed = managedFields === undefined ? '' : `"managedFields":${JSON.stringify(managedFields)},`
  return `${managed}${JSON.stringify({ name, ...meta }).slice(1)}${fields === '{}' ? '' : `,${fields.slice(1, -1)}`}}`
}

const VERSION = Buffer.from('"resourceVersion":"')
const QUOTE = 0x22
const MANAGED = '"managedFields":[{'
/** No entry holds a list, and what its strings hold is escaped: where this comes first, the list has ended. */
const END = Buffer.from('}],"name":')

/** Where in rendered bytes the list of managedFields begins and ends, its name and a comma behind it included. */
function managedPart(bytes: Buffer): readonly [from: number, to: number] | undefined {
  const version = bytes.indexOf(VERSION)
  const from = bytes.indexOf(QUOTE, version + VERSION.length) + 2
  if (version < 0 || bytes.toString('latin1', from, from + MANAGED.length) !== MANAGED) return undefined
  const end = bytes.indexOf(END, from)
  return end < 0 ? undefined : [from, end + 3]
}

/** The JSON of a rendered object, without its managedFields. */
export function textWithoutManagedFields(bytes: Buffer): string {
  const part = managedPart(bytes)
  return part === undefined ? bytes.toString() : bytes.toString('utf8', 0, part[0]) + bytes.toString('utf8', part[1])
}

/** The managedFields of a rendered object; undefined where it has none. */
export function managedFieldsIn(bytes: Buffer): unknown[] | undefined {
  const part = managedPart(bytes)
  if (part === undefined) return undefined
  return JSON.parse(bytes.toString('utf8', part[0] + MANAGED.length - 2, part[1] - 1)) as unknown[]
}
