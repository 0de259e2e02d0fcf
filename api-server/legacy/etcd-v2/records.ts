/**
 * What lies in the store: `/v2/n/k<key>` nodes (or `/v2/n/h<sha256>`, for keys that the store's cannot hold),
 * `/v2/log/<last index, 16 hex>` one transaction with its events, `/v2/index` the newest index, which every change
 * compares and puts, `/v2/checkpoint` up to where the nodes follow the log, and `/v2/cluster` the cluster's id. All but the last hold byte strings as latin1.
 */
import { createHash } from 'node:crypto'
import { prefixRange } from '../../store/store.ts'
import { decodeBytes, encodeBytes } from './bytes.ts'
import type { Action, Entry } from './event.ts'
import type { Node } from './node.ts'

export const EVERYTHING = prefixRange('/v2/')
export const NODES = prefixRange('/v2/n/')
export const LOG = prefixRange('/v2/log/')
export const INDEX_KEY = '/v2/index'
export const CHECKPOINT_KEY = '/v2/checkpoint'
export const CLUSTER_KEY = '/v2/cluster'

/** What etcd's own first writes have used up: the first write of a client gets the next one. */
export const FIRST_INDEX = 3

const PLAIN_KEY = /^[!-~]{1,900}$/

/** Plain keys as they are; others, and those longer than the store's may be, by their hash. */
export function nodeKey(key: string): string {
  if (PLAIN_KEY.test(key)) return `/v2/n/k${key}`
  return `/v2/n/h${createHash('sha256').update(key, 'latin1').digest('hex')}`
}

export function logKey(lastIndex: number): string {
  return `/v2/log/${lastIndex.toString(16).padStart(16, '0')}`
}

/** A line of numbers (lengths among them), then key and value as they are: nothing to escape, nothing to parse. */
function nodeText({ key, value, created, modified, expires }: Node): string {
  const type = value === undefined ? 'd' : 'f'
  const lengths = `${key.length} ${value?.length ?? 0}`
  return `${created} ${modified} ${expires ?? '-'} ${type} ${lengths}\n${key}${value ?? ''}`
}

/** The node whose text begins at `at`, and where it ends. */
function readNode(bytes: string, at: number): { readonly node: Node; readonly end: number } {
  const line = bytes.indexOf('\n', at)
  const [created, modified, expires, type, keyLength, valueLength] = bytes.slice(at, line).split(' ')
  const value = line + 1 + Number(keyLength)
  const end = value + Number(valueLength)
  const node: Node = {
    key: bytes.slice(line + 1, value),
    value: type === 'd' ? undefined : bytes.slice(value, end),
    created: Number(created),
    modified: Number(modified),
    expires: expires === '-' ? undefined : Number(expires),
  }
  return { node, end }
}

export function encodeNode(node: Node): Uint8Array {
  return encodeBytes(nodeText(node))
}

export function decodeNode(record: Uint8Array): Node {
  return readNode(decodeBytes(record), 0).node
}

/** Where the log stands: the newest index, and how many bytes of log there were ever written. */
export interface Head {
  readonly index: number
  readonly logged: number
}

export const FRESH: Head = { index: FIRST_INDEX, logged: 0 }

export function encodeHead({ index, logged }: Head): Uint8Array {
  return encodeBytes(JSON.stringify({ i: index, b: logged }))
}

export function decodeHead(record: Uint8Array): Head {
  const { i, b } = JSON.parse(decodeBytes(record)) as { i: number; b: number }
  return { index: i, logged: b }
}

/** One transaction: its events, each a line of what a search needs, the key, and the body; then the nodes it left. */
export interface LogRecord {
  /** Bytes of log written before this record. */
  readonly offset: number
  readonly entries: readonly Entry[]
  /** As they were after the last event; what an event removed is not among them. */
  readonly puts: readonly Node[]
}

const TOOK_DIR = 1
const REFRESH = 2

export function encodeLog({ offset, entries, puts }: LogRecord): Uint8Array {
  let text = `${offset} ${entries.length}\n`
  for (const { index, action, key, tookDir, refresh, body } of entries) {
    const flags = (tookDir ? TOOK_DIR : 0) | (refresh ? REFRESH : 0)
    text += `${index} ${action} ${flags} ${key.length} ${body.length}\n${key}${body}`
  }
  for (const node of puts) text += nodeText(node)
  return encodeBytes(text)
}

export function decodeLog(record: Uint8Array): LogRecord {
  const { offset, entries, rest, bytes } = readEntries(record)
  const puts: Node[] = []
  for (let at = rest; at < bytes.length; ) {
    const { node, end } = readNode(bytes, at)
    puts.push(node)
    at = end
  }
  return { offset, entries, puts }
}

/** The events alone: searches need no nodes. */
export function decodeEntries(record: Uint8Array): readonly Entry[] {
  return readEntries(record).entries
}

function readEntries(record: Uint8Array): { offset: number; entries: Entry[]; rest: number; bytes: string } {
  const bytes = decodeBytes(record)
  const entries: Entry[] = []
  const begin = bytes.indexOf('\n')
  const [offset, count] = bytes.slice(0, begin).split(' ').map(Number)
  let at = begin + 1
  while (entries.length < (count ?? 0)) {
    const end = bytes.indexOf('\n', at)
    const [index, action, flags, keyLength, bodyLength] = bytes.slice(at, end).split(' ')
    const body = end + 1 + Number(keyLength)
    at = body + Number(bodyLength)
    entries.push({
      ...{
        index: Number(index),
        action: action as Action,
        key: bytes.slice(end + 1, body),
        body: bytes.slice(body, at),
      },
      ...{ tookDir: (Number(flags) & TOOK_DIR) !== 0, refresh: (Number(flags) & REFRESH) !== 0 },
    })
  }
  return { offset: offset ?? 0, entries, rest: at, bytes }
}

/** The index up to which the nodes in the store agree with the log; what came later is in the log alone. */
export function encodeCheckpoint(index: number): Uint8Array {
  return encodeBytes(String(index))
}

export function decodeCheckpoint(record: Uint8Array): number {
  return Number(decodeBytes(record))
}
