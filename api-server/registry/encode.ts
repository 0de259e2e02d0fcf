/**
 * How objects lie in the store, and how they leave it. The resourceVersion of an object is the revision of the write
 * that put it there, which is known only after the write: so it is not stored, but spliced into the stored bytes at a
 * place that is the same for every object of a kind. One copy of bytes an object then serves every reader.
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

function header(kind: Kind): string {
  return `{"apiVersion":${JSON.stringify(kind.apiVersion)},"kind":${JSON.stringify(kind.kind)},"metadata":{`
}

export interface Encoding {
  /** Bytes to store: no resourceVersion, metadata first. */
  encode(object: ApiObject): Buffer
  /** Bytes to serve: the stored ones with the resourceVersion in place. */
  render(stored: Uint8Array, version: bigint): Buffer
}

export function encodingOf(kind: Kind): Encoding {
  const head = header(kind)
  const at = Buffer.byteLength(head)
  return {
    encode: (object) => Buffer.from(head + encodeRest(object)),
    render: (stored, version) => {
      const splice = `"resourceVersion":"${version}",`
      const bytes = Buffer.allocUnsafeSlow(stored.length + splice.length)
      bytes.set(stored.subarray(0, at), 0)
      bytes.write(splice, at, 'latin1')
      bytes.set(stored.subarray(at), at + splice.length)
      return bytes
    },
  }
}

function encodeRest(object: ApiObject): string {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object
  const { resourceVersion: _version, name, ...meta } = metadata
  const fields = JSON.stringify(rest)
  return `${JSON.stringify({ name, ...meta }).slice(1)}${fields === '{}' ? '' : `,${fields.slice(1, -1)}`}}`
}
