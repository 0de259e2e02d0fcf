/**
 * What lies in the store: `/v2/n/<sha256 of the key>` nodes (keys of the tree are longer than the store's may be),
 * `/v2/log/<last index, 16 hex>` the events of one transaction, `/v2/index` the newest index, which every change
 * compares and puts, and `/v2/cluster` the cluster's id. All but the last hold byte strings as latin1.
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
export const CLUSTER_KEY = '/v2/cluster'

/** What etcd's own first writes have used up: the first write of a client gets the next one. */
export const FIRST_INDEX = 3

export function nodeKey(key: string): string {
  return `/v2/n/${createHash('sha256').update(key, 'latin1').digest('hex')}`
}

export function logKey(lastIndex: number): string {
  return `/v2/log/${lastIndex.toString(16).padStart(16, '0')}`
}

export function encodeNode({ key, value, created, modified, expires }: Node): Uint8Array {
  return encodeBytes(JSON.stringify({ k: key, v: value, c: created, m: modified, e: expires }))
}

interface NodeRecord {
  readonly k: string
  readonly v?: string
  readonly c: number
  readonly m: number
  readonly e?: number
}

export function decodeNode(record: Uint8Array): Node {
  const { k, v, c, m, e } = JSON.parse(decodeBytes(record)) as NodeRecord
  return { key: k, value: v, created: c, modified: m, expires: e }
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

/** One transaction's events. A line of JSON says what a search needs, the next is the body as clients get it. */
export interface LogRecord {
  /** Bytes of log written before this record. */
  readonly offset: number
  readonly entries: readonly Entry[]
}

const TOOK_DIR = 1
const REFRESH = 2

export function encodeLog({ offset, entries }: LogRecord): Uint8Array {
  const parts = [`${JSON.stringify([entries[0]?.index, offset])}\n`]
  for (const { action, key, tookDir, refresh, body } of entries)
    parts.push(`${JSON.stringify([action, key, (tookDir ? TOOK_DIR : 0) | (refresh ? REFRESH : 0)])}\n`, body)
  return encodeBytes(parts.join(''))
}

export function decodeLog(record: Uint8Array): LogRecord {
  const lines = decodeBytes(record).split('\n')
  const [first, offset] = JSON.parse(lines[0] ?? '') as [number, number]
  const entries: Entry[] = []
  for (let at = 1; at + 1 < lines.length; at += 2) {
    const [action, key, flags] = JSON.parse(lines[at] ?? '') as [Action, string, number]
    const body = `${lines[at + 1]}\n`
    entries.push({
      ...{ index: first + entries.length, action, key, body },
      ...{ tookDir: (flags & TOOK_DIR) !== 0, refresh: (flags & REFRESH) !== 0 },
    })
  }
  return { offset, entries }
}
