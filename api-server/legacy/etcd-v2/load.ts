/** Reads everything below /v2/ as of one revision, and finds what removed directories have left behind. */
import type { KeyValue, Range, Revision, Store } from '../../store/store.ts'
import { type Node, parentOf } from './node.ts'
import {
  CHECKPOINT_KEY,
  decodeCheckpoint,
  decodeHead,
  decodeLog,
  decodeNode,
  FRESH,
  type Head,
  INDEX_KEY,
  LOG,
  type LogRecord,
  logKey,
  NODES,
} from './records.ts'
import type { Checkpoint } from './replica.ts'

export interface Loaded {
  readonly revision: Revision
  readonly head: Head
  readonly indexRevision: Revision
  /** Parents before their children; those without one, and those older than it, are left out. */
  readonly nodes: readonly Node[]
  readonly orphans: readonly string[]
  readonly checkpoint: Checkpoint
  /** In order: the newest thousand events, and all that the nodes do not know yet. */
  readonly records: readonly LogRecord[]
}

const PAGE = 1_000
const KEPT_IN_MEMORY = 1_000

export async function loadReplica(store: Store, signal: AbortSignal): Promise<Loaded> {
  const { revision, kv } = await store.get(INDEX_KEY, { signal })
  const head = kv === undefined ? FRESH : decodeHead(kv.value)
  const found: Node[] = []
  for await (const { value } of everyIn(store, NODES, revision, signal)) found.push(decodeNode(value))
  const checkpoint = await readCheckpoint(store, revision, signal)
  const records: LogRecord[] = []
  const since = Math.min(checkpoint.index, head.index - KEPT_IN_MEMORY) + 1
  const recent = { start: logKey(Math.max(0, since)), end: LOG.end }
  for await (const { value } of everyIn(store, recent, revision, signal)) records.push(decodeLog(value))
  return { revision, head, indexRevision: kv?.modified ?? 0n, checkpoint, records, ...living(found) }
}

async function readCheckpoint(store: Store, at: Revision, signal: AbortSignal): Promise<Checkpoint> {
  const { kv } = await store.get(CHECKPOINT_KEY, { at, signal })
  return kv === undefined
    ? { index: FRESH.index, revision: 0n }
    : { index: decodeCheckpoint(kv.value), revision: kv.modified }
}

/** A directory is never younger than what is in it, so whatever is older than its directory lay in a former one. */
function living(found: Node[]): { nodes: Node[]; orphans: string[] } {
  const byKey = new Map<string, Node>()
  const orphans: string[] = []
  for (const node of found.sort((a, b) => a.key.length - b.key.length)) {
    const parent = parentOf(node.key)
    const folder = byKey.get(parent)
    const isAlive = parent === '/' || (folder?.value === undefined && (folder?.created ?? Infinity) <= node.created)
    if (isAlive) byKey.set(node.key, node)
    else orphans.push(node.key)
  }
  return { nodes: [...byKey.values()], orphans }
}

async function* everyIn(store: Store, range: Range, at: Revision, signal: AbortSignal): AsyncGenerator<KeyValue> {
  for (let start = range.start; ; ) {
    const { items, more } = await store.list({ start, end: range.end }, { at, limit: PAGE, signal })
    yield* items
    const last = items.at(-1)
    if (!more || last === undefined) return
    start = `${last.key}\u0000`
  }
}
