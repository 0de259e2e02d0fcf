/**
 * What each write does to the tree: pure decisions on a draft, in the words of etcd's v2 store (server/etcdserver/api/
 * v2store/store.go of etcd 3.4). A decision either refuses and changes nothing, or records one event.
 */
import type { Draft } from './draft.ts'
import type { Action, Entry } from './event.ts'
import { type Failure, failure } from './failure.ts'
import { type Node, parentOf, renderGone, renderNode } from './node.ts'
import { whyAbsent } from './tree.ts'

export interface Write {
  readonly do: 'set' | 'create' | 'create-in-order' | 'update' | 'swap' | 'delete' | 'delete-if'
  readonly key: string
  readonly dir: boolean
  readonly recursive: boolean
  readonly value: string
  readonly expires: number | undefined
  readonly refresh: boolean
  /** '' and 0: no condition. */
  readonly prevValue: string
  readonly prevIndex: bigint
}

/** The sweep's: takes the node away if it is still the one that was due. */
export interface Expiry {
  readonly do: 'expire'
  readonly key: string
  readonly dueBy: number
}

export interface Done {
  readonly entry: Entry
  /** It made a key that was not there: 201. */
  readonly isNew: boolean
}

export function decide(draft: Draft, write: Write | Expiry, nowMs: number): Done | Failure | undefined {
  if (write.do === 'expire') return expire(draft, write, nowMs)
  if (write.key === '/' && write.do !== 'create-in-order' && write.do !== 'delete-if') return failure(107, '/')
  return DECISIONS[write.do](draft, write, nowMs)
}

type Decision = (draft: Draft, write: Write, nowMs: number) => Done | Failure

const DECISIONS: Readonly<Record<Write['do'], Decision>> = {
  set,
  create: (draft, write, nowMs) => create(draft, write, write.key, nowMs),
  'create-in-order': (draft, write, nowMs) => create(draft, write, keyInOrder(draft, write.key), nowMs),
  update,
  swap,
  delete: remove,
  'delete-if': removeIf,
}

/** In-order keys sort as they were made: twenty digits hold every index. */
function keyInOrder(draft: Draft, key: string): string {
  return `${key === '/' ? '' : key}/${String(draft.index + 1).padStart(20, '0')}`
}

function find(draft: Draft, key: string): Node | Failure {
  const node = draft.get(key)
  if (node !== undefined) return node
  const absent = whyAbsent(draft, key)
  return failure(absent.why === 'file' ? 104 : 100, absent.key)
}

/** The root's own path is shown as nothing. */
const shown = (key: string) => (key === '/' ? '' : key)
const isDir = ({ value }: Node) => value === undefined

function set(draft: Draft, write: Write, nowMs: number): Done | Failure {
  const { key, refresh } = write
  const before = find(draft, key)
  if ('code' in before) {
    if (before.code !== 100 || refresh) return before
    return make(draft, 'set', write, key, undefined, nowMs)
  }
  if (isDir(before)) return failure(102, key)
  const kept = refresh ? { ...write, value: before.value ?? '' } : write
  return make(draft, 'set', kept, key, before, nowMs)
}

function create(draft: Draft, write: Write, key: string, nowMs: number): Done | Failure {
  const before = find(draft, key)
  if (!('code' in before)) return failure(105, key)
  if (before.code !== 100) return before
  return make(draft, 'create', { ...write, refresh: false }, key, undefined, nowMs)
}

/** A new key cannot end before the year 2000: its clock ran over, and etcd makes it permanent. Others end at once. */
const FIRST_BELIEVABLE_MS = Date.UTC(2000)

/** Puts a new node at `key`, with the directories above it that are missing. */
function make(
  draft: Draft,
  action: 'set' | 'create',
  { dir, value, refresh, ...write }: Write,
  key: string,
  before: Node | undefined,
  nowMs: number,
): Done {
  const index = draft.index + 1
  const expires = (write.expires ?? 0) < FIRST_BELIEVABLE_MS ? undefined : write.expires
  if (before === undefined) makeParents(draft, key, index)
  const node: Node = { key, value: dir ? undefined : value, created: index, modified: index, expires }
  draft.put(node)
  return record(draft, action, renderNode(node, nowMs), node, before, nowMs, refresh)
}

function makeParents(draft: Draft, key: string, index: number): void {
  for (let at = parentOf(key); draft.get(at) === undefined; at = parentOf(at))
    draft.put({ key: at, value: undefined, created: index, modified: index, expires: undefined })
}

function update(draft: Draft, { key, value, expires, refresh }: Write, nowMs: number): Done | Failure {
  const before = find(draft, key)
  if ('code' in before) return before
  if (isDir(before) && value !== '') return failure(102, key)
  const index = draft.index + 1
  // A directory's answer carries the new index, yet its own stays: etcd does so, and clients compare with it.
  const shownNode: Node = { ...before, value: valueAfter(before, value, refresh), modified: index, expires }
  draft.put(isDir(before) ? { ...shownNode, modified: before.modified } : shownNode)
  return record(draft, 'update', renderNode(shownNode, nowMs), shownNode, before, nowMs, refresh)
}

function valueAfter(before: Node, value: string, refresh: boolean): string | undefined {
  return isDir(before) || refresh ? before.value : value
}

function swap(draft: Draft, write: Write, nowMs: number): Done | Failure {
  const { key, value, expires, refresh } = write
  const before = find(draft, key)
  if ('code' in before) return before
  if (isDir(before)) return failure(102, shown(key))
  const mismatch = compare(before, write)
  if (mismatch !== undefined) return failure(101, mismatch)
  const node: Node = { ...before, value: valueAfter(before, value, refresh), modified: draft.index + 1, expires }
  draft.put(node)
  return record(draft, 'compareAndSwap', renderNode(node, nowMs), node, before, nowMs, refresh)
}

/** What did not hold, in brackets, or undefined. */
function compare(node: Node, { prevValue, prevIndex }: Write): string | undefined {
  const causes: string[] = []
  if (prevValue !== '' && prevValue !== node.value) causes.push(`[${prevValue} != ${node.value}]`)
  if (prevIndex !== 0n && prevIndex !== BigInt(node.modified)) causes.push(`[${prevIndex} != ${node.modified}]`)
  return causes.length === 0 ? undefined : causes.join(' ')
}

function remove(draft: Draft, { key, dir, recursive }: Write, nowMs: number): Done | Failure {
  const before = find(draft, key)
  if ('code' in before) return before
  if (isDir(before) && !dir && !recursive) return failure(102, key)
  if (isDir(before) && !recursive && draft.hasChildren(key)) return failure(108, key)
  return takeAway(draft, 'delete', before, nowMs)
}

function removeIf(draft: Draft, write: Write, nowMs: number): Done | Failure {
  const before = find(draft, write.key)
  if ('code' in before) return before
  if (isDir(before)) return failure(102, shown(write.key))
  const mismatch = compare(before, write)
  return mismatch === undefined ? takeAway(draft, 'compareAndDelete', before, nowMs) : failure(101, mismatch)
}

function expire(draft: Draft, { key, dueBy }: Expiry, nowMs: number): Done | undefined {
  const node = draft.get(key)
  if (node?.expires === undefined || node.expires > dueBy) return undefined
  return takeAway(draft, 'expire', node, nowMs)
}

function takeAway(draft: Draft, action: Action, before: Node, nowMs: number): Done {
  draft.cut(before.key)
  return record(draft, action, renderGone(before, draft.index + 1), before, before, nowMs, false)
}

function record(
  draft: Draft,
  action: Action,
  rendered: string,
  node: Node,
  before: Node | undefined,
  nowMs: number,
  refresh: boolean,
): Done {
  const prevNode = before === undefined ? '' : `,"prevNode":${renderNode(before, nowMs)}`
  const body = `{"action":"${action}","node":${rendered}${prevNode}}\n`
  const tookDir = before !== undefined && isDir(before) && action !== 'update'
  // What lies outside the clients' root (users and roles) counts, yet nobody is told.
  const isSilent = refresh || !node.key.startsWith('/')
  const entry: Entry = { index: draft.index + 1, action, key: node.key, tookDir, refresh: isSilent, body }
  draft.record(entry)
  return { entry, isNew: before === undefined }
}
