/** Carries out what was planned; every write is for the incarnation and the version that it was decided on. */
import { isApiError } from '../lib/api-error.ts'
import type { MetadataClient } from '../lib/metadata-client.ts'
import type { Action } from './plan.ts'

export type Client = Pick<MetadataClient, 'patch' | 'delete'>

/** Rejects with ApiError 409 when the object changed since it was looked at. What is gone is done. */
export async function apply(client: Client, action: Action, signal: AbortSignal): Promise<void> {
  try {
    await perform(client, action, signal)
  } catch (error) {
    if (!isApiError(error, 404)) throw error
  }
}

async function perform(client: Client, action: Action, signal: AbortSignal): Promise<void> {
  if (action.do === 'delete') return remove(client, action, signal)
  const { item } = action
  const change =
    action.do === 'release'
      ? { ownerReferences: orNull(action.owners) }
      : { finalizers: orNull(item.finalizers.filter((one) => one !== action.finalizer)) }
  await patch(client, action, change, signal)
}

async function remove(client: Client, action: Extract<Action, { do: 'delete' }>, signal: AbortSignal): Promise<void> {
  const { item, propagation, unblock } = action
  const { resource, name, uid } = item
  let resourceVersion: string | undefined = item.version
  if (unblock) {
    const ownerReferences = item.owners.map((reference) => ({ ...reference, blockOwnerDeletion: false }))
    resourceVersion = await patch(client, action, { ownerReferences }, signal)
  }
  await client.delete(resource, name, {
    ...within(item.namespace),
    uid,
    ...(resourceVersion && { resourceVersion }),
    propagationPolicy: propagation,
    signal,
  })
}

/** Returns the new version. */
async function patch(
  client: Client,
  { item }: Action,
  change: Record<string, unknown>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { resource, name, uid, version } = item
  const metadata = { uid, resourceVersion: version, ...change }
  const after = await client.patch(resource, name, { ...within(item.namespace), metadata, signal })
  return after.metadata.resourceVersion
}

function within(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace }
}

/** An empty list is no list. */
function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}
