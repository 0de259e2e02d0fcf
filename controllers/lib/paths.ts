/** Where the API keeps things. */
import type { Kind } from '../../crds/kind.ts'

/** As much of a kind as its paths need; users' own kinds are known by no more. */
export type Addressed = Pick<Kind, 'group' | 'version' | 'plural' | 'scope'>

export interface Place {
  readonly namespace?: string
  readonly subresource?: string
}

/** Without a namespace: the objects of all of them. */
export function collectionPath(kind: Addressed, { namespace }: Place = {}): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const inside = kind.scope === 'Namespaced' && namespace !== undefined
  return `${root}${inside ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${kind.plural}`
}

export function objectPath(kind: Addressed, name: string, place: Place = {}): string {
  const path = `${collectionPath(kind, place)}/${encodeURIComponent(name)}`
  return place.subresource === undefined ? path : `${path}/${place.subresource}`
}
