/**
 * Whether an owner lives: asked of the server, once for all of its dependents, and again when a watch makes it doubtful.
 * An owner counts as absent only when the server says of that very name that it has no such object, or another one.
 */
import type { OwnerReference } from '../../crds/kind.ts'
import { isApiError } from '../lib/api-error.ts'
import type { MetadataClient, Resource } from '../lib/metadata-client.ts'
import { FOREGROUND, type Item, isHeld } from './item.ts'
import { groupOf } from './owner-index.ts'
import type { OwnerState } from './plan.ts'

export interface Owners {
  state(item: Item, reference: OwnerReference, signal: AbortSignal): Promise<OwnerState>
  /** Drops what is known of it. */
  doubt(uid: string): void
}

export interface OwnersOptions {
  readonly client: Pick<MetadataClient, 'get' | 'list'>
  /** The resource of a kind, if the server has it. */
  readonly resolve: (group: string, kind: string) => Resource | undefined
  /** The reference points into another namespace, or from outside into one: it owns nothing. */
  readonly misplaced: (item: Item, reference: OwnerReference) => void
}

export function createOwners({ client, resolve, misplaced }: OwnersOptions): Owners {
  /** By uid, then by what else the reference says. */
  const known = new Map<string, Map<string, Promise<OwnerState>>>()

  const ask = async (resource: Resource, item: Item, reference: OwnerReference, signal: AbortSignal) => {
    const place = resource.scope === 'Cluster' || item.namespace === undefined ? {} : { namespace: item.namespace }
    const state = await look(client, resource, reference, { ...place, signal })
    if (state === 'absent' && 'namespace' in place && (await liesElsewhere(client, resource, reference, signal)))
      misplaced(item, reference)
    return state
  }
  return {
    state: (item, reference, signal) => {
      const resource = resolve(groupOf(reference.apiVersion), reference.kind)
      if (resource === undefined) return Promise.resolve('unknown')
      if (resource.scope === 'Namespaced' && item.namespace === undefined) {
        misplaced(item, reference)
        return Promise.resolve('unknown')
      }
      const namespace = resource.scope === 'Cluster' ? '' : (item.namespace ?? '')
      const place = `${resource.group}/${resource.plural} ${namespace}/${reference.name}`
      const places = known.get(reference.uid) ?? new Map<string, Promise<OwnerState>>()
      const answer = places.get(place) ?? ask(resource, item, reference, signal)
      places.set(place, answer)
      known.set(reference.uid, places)
      answer.catch(() => places.get(place) === answer && places.delete(place))
      return answer
    },
    doubt: (uid) => void known.delete(uid),
  }
}

async function look(
  client: OwnersOptions['client'],
  resource: Resource,
  { name, uid }: OwnerReference,
  place: { readonly namespace?: string; readonly signal: AbortSignal },
): Promise<OwnerState> {
  try {
    const { metadata } = await client.get(resource, name, place)
    if (metadata.uid !== uid) return 'absent'
    const { deletionTimestamp, finalizers = [] } = metadata
    const held = isHeld({ deleting: typeof deletionTimestamp === 'string', finalizers })
    return held && finalizers.includes(FOREGROUND) ? 'waiting' : 'solid'
  } catch (error) {
    if (isMissing(error, name)) return 'absent'
    throw error
  }
}

/** Another 404 may say that the whole kind is not served just now. */
function isMissing(error: unknown, name: string): boolean {
  if (!isApiError(error, 404) || error.reason !== 'NotFound') return false
  return (error.status as { details?: { name?: unknown } }).details?.name === name
}

async function liesElsewhere(
  client: OwnersOptions['client'],
  resource: Resource,
  { name, uid }: OwnerReference,
  signal: AbortSignal,
): Promise<boolean> {
  const fieldSelector = `metadata.name=${name}`
  const { items } = await client.list(resource, { fieldSelector, signal, keep: (object) => object })
  return items.some(({ metadata }) => metadata.uid === uid)
}
