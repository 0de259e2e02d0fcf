/** What goes by while a backup is written: counted for its owner, who knows the numbers of things, not of store keys. */
import { isRemoval } from '../../api-server/legacy/etcd-v2/event.ts'
import { parentOf } from '../../api-server/legacy/etcd-v2/node.ts'
import {
  CHECKPOINT_KEY,
  decodeCheckpoint,
  decodeHead,
  decodeLog,
  decodeNode,
  INDEX_KEY,
  LOG,
  NODES,
} from '../../api-server/legacy/etcd-v2/records.ts'
import type { KeyValue } from '../../api-server/store/store.ts'

export interface Tally {
  /** Kubernetes and Flotilla objects. */
  readonly objects: number
  /** Keys of the etcd v2 API that have a value. */
  readonly v2Keys: number
  /** X-Etcd-Index; 0 where that API was never written to. */
  readonly v2Index: number
}

/** Passes items on and counts them; ask when all have passed. */
export function tallying(items: Iterable<KeyValue> | AsyncIterable<KeyValue>): {
  readonly items: AsyncIterable<KeyValue>
  tally(): Tally
} {
  let objects = 0
  const v2 = new V2Keys()
  async function* passing() {
    for await (const item of items) {
      if (item.key.startsWith('/r/')) objects++
      else v2.note(item)
      yield item
    }
  }
  return { items: passing(), tally: () => ({ objects, v2Keys: v2.count, v2Index: v2.index }) }
}

/**
 * The nodes in the store lag behind the log, so what the log's newest records say goes before what the nodes say. The
 * order of the store's keys (checkpoint, index, log, nodes) lets one look at each suffice.
 */
class V2Keys {
  index = 0
  #checkpoint = 0
  #count = 0
  /** Keys that the log knows better: whether they have a value. */
  readonly #newer = new Map<string, boolean>()
  readonly #removed = new Set<string>()

  get count(): number {
    return this.#count + [...this.#newer.values()].filter((hasValue) => hasValue).length
  }

  note({ key, value }: KeyValue): void {
    if (key === CHECKPOINT_KEY) this.#checkpoint = decodeCheckpoint(value)
    else if (key === INDEX_KEY) this.index = decodeHead(value).index
    else if (key.startsWith(LOG.start)) this.#noteLog(value)
    else if (key.startsWith(NODES.start)) this.#noteNode(value)
  }

  #noteLog(value: Uint8Array): void {
    const { entries, puts } = decodeLog(value)
    if ((entries.at(-1)?.index ?? 0) <= this.#checkpoint) return
    for (const entry of entries) if (isRemoval(entry)) this.#remove(entry.key)
    for (const node of puts) this.#newer.set(node.key, node.value !== undefined)
  }

  #remove(key: string): void {
    this.#removed.add(key)
    for (const other of [...this.#newer.keys()]) if (other === key || isWithin(other, key)) this.#newer.delete(other)
  }

  #noteNode(value: Uint8Array): void {
    const { key, value: content } = decodeNode(value)
    if (content === undefined || this.#newer.has(key)) return
    for (let at = key; at !== '/'; at = parentOf(at)) if (this.#removed.has(at)) return
    this.#count++
  }
}

function isWithin(key: string, folder: string): boolean {
  return key.startsWith(`${folder}/`)
}
