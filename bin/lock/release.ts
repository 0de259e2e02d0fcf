/** Giving a key back, so that the next one need not wait for its TTL. */
import { withDeadline } from '../../controllers/lib/deadline.ts'
import type { KeyNode, KeysClient } from '../etcd-v2/keys-client.ts'
import { CODE, isKeysError } from '../etcd-v2/keys-error.ts'

export interface Mine {
  readonly key: string
  /** Whether what is there is what we made. */
  readonly isOurs: (node: KeyNode) => boolean
  /** For all of it. */
  readonly timeoutMs: number
}

/** A renewal that was on its way may come between the reading and the deleting. */
const TRIES = 3

/** Deletes the key if it is still ours, and never another's. Rejects when that cannot be told or done in time. */
export function releaseKey(keys: KeysClient, mine: Mine): Promise<void> {
  return withDeadline(undefined, mine.timeoutMs, async (signal) => {
    for (let tries = 1; tries <= TRIES; tries++) if (await tryRelease(keys, mine, signal)) return
  })
}

/** False when the key was changed while we looked. */
async function tryRelease(keys: KeysClient, { key, isOurs, timeoutMs }: Mine, signal: AbortSignal): Promise<boolean> {
  const how = { signal, timeoutMs }
  try {
    const { node } = await keys.get(key, how)
    if (!node.dir && isOurs(node)) await keys.deleteAt(key, node.modifiedIndex, how)
    return true
  } catch (error) {
    if (isKeysError(error, CODE.keyNotFound)) return true
    if (isKeysError(error, CODE.compareFailed)) return false
    throw error
  }
}
