/**
 * A write commits one record of the log; the nodes follow here, many changes of one key as one. Servers take turns by
 * comparing `/v2/checkpoint`. A crash half-way leaves nodes that are newer than the checkpoint says: replaying the log
 * from there over them ends in the same tree, since it holds every change since.
 */
import { MAX_OPERATIONS, type Operation, type Store } from '../../store/store.ts'
import { CHECKPOINT_KEY, decodeCheckpoint, encodeCheckpoint, encodeNode, nodeKey } from './records.ts'
import type { Replica } from './replica.ts'

const MAX_NODES = MAX_OPERATIONS - 1
/** With the log's share a request to etcd may have 1.5 MiB; one node alone may have more. */
const MAX_BYTES = 512 * 1024

/** Brings the nodes up to the index that is the newest now; less when another server is at it. */
export async function checkpoint(store: Store, replica: Replica): Promise<void> {
  const upTo = replica.head.index
  const keys = [...replica.dirty.keys()]
  if (keys.length === 0 && replica.checkpoint.index === upTo) return
  do {
    const chunk = takeChunk(replica, keys)
    if (!(await write(store, replica, chunk, keys.length === 0 ? upTo : replica.checkpoint.index))) return
  } while (keys.length > 0)
}

interface Chunk {
  readonly operations: readonly Operation[]
  readonly taken: readonly (readonly [key: string, index: number])[]
}

/** From now on these keys count as written; whoever changes them marks them anew. */
function takeChunk({ tree, dirty }: Replica, keys: string[]): Chunk {
  const operations: Operation[] = []
  const taken: [string, number][] = []
  let bytes = 0
  while (keys.length > 0 && operations.length < MAX_NODES && bytes < MAX_BYTES) {
    const key = keys.pop() ?? ''
    const index = dirty.get(key)
    if (index === undefined) continue
    dirty.delete(key)
    taken.push([key, index])
    const node = tree.get(key)
    const value = node && encodeNode(node)
    bytes += value?.byteLength ?? 0
    operations.push(value ? { do: 'put', key: nodeKey(key), value } : { do: 'delete', key: nodeKey(key) })
  }
  return { operations, taken }
}

async function write(store: Store, replica: Replica, { operations, taken }: Chunk, index: number): Promise<boolean> {
  const { revision } = replica.checkpoint
  const mark: Operation = { do: 'put', key: CHECKPOINT_KEY, value: encodeCheckpoint(index) }
  try {
    const compare = [{ key: CHECKPOINT_KEY, modified: revision }]
    const result = await store.txn({ compare, operations: [...operations, mark] })
    if (result.ok) {
      replica.checkpoint = { index, revision: result.revision }
      return true
    }
    restore(replica, taken)
    const [current] = result.current
    // Its nodes may be newer than this tree: until the news are here, nothing of ours may overwrite them.
    if (current && current.modified <= replica.applied)
      replica.checkpointIs({ index: decodeCheckpoint(current.value), revision: current.modified })
    return false
  } catch (error) {
    restore(replica, taken)
    throw error
  }
}

function restore({ dirty }: Replica, taken: Chunk['taken']): void {
  for (const [key, index] of taken) if (!dirty.has(key)) dirty.set(key, index)
}
