/**
 * What lies in the store: `/v2/n/k<key>` nodes (or `/v2/n/h<sha256>`, for keys that the store's cannot hold),
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
export function encodeNode({ key, value, created, modified, expires }: Node): Uint8Array {
  const isDir = value === undefined
  return encodeBytes(
    `${created} ${modified} ${expires ?? '-'} ${isDir ? 'd' : 'f'} ${key.length}\n${key}${value ?? ''}`,
  )
}

export function decodeNode(record: Uint8Array): Node {
  const bytes = decodeBytes(record)
  const end = bytes.indexOf('\n')
  const [created, modified, expires, type, keyLength] = bytes.slice(0, end).split(' ')
  const value = end + 1 + Number(keyLength)
  return {
    key: bytes.slice(end + 1, value),
    value: type === 'd' ? undefined : bytes.slice(value),
    created: Number(created),
    modified: Number(modified),
    expires: expires === '-' ? undefined : Number(expires),
  }
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

/** One transaction's events: each a line of what a search needs, the key, and the body as clients get it. */
export interface LogRecord {
  /** Bytes of log written before this record. */
  readonly offset: number
  readonly entries: readonly Entry[]
}

const TOOK_DIR = 1
const REFRESH = 2

export function encodeLog({ offset, entries }: LogRecord): Uint8Array {
  let text = `${offset}\n`
  for (const { index, action, key, tookDir, refresh, body } of entries) {
    const flags = (tookDir ? TOOK_DIR : 0) | (refresh ? REFRESH : 0)
    text += `${index} ${action} ${flags} ${key.length} ${body.length}\n${key}${body}`
  }
  return encodeBytes(text)
}

export function decodeLog(record: Uint8Array): LogRecord {
  const bytes = decodeBytes(record)
  const entries: Entry[] = []
  const begin = bytes.indexOf('\n')
  for (let at = begin + 1; at < bytes.length; ) {
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
  return { offset: Number(bytes.slice(0, begin)), entries }
}
