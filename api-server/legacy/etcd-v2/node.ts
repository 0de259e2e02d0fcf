/** Nodes of the tree as plain data, and as the JSON that clients see. */
import { quote } from './bytes.ts'

export interface Node {
  /** A byte string such as `/a/b`; `/` is the root. */
  readonly key: string
  /** Undefined: a directory. */
  readonly value: string | undefined
  readonly created: number
  readonly modified: number
  /** Milliseconds since 1970; undefined: for ever. */
  readonly expires: number | undefined
}

export interface TreeNode extends Node {
  /** Of directories: the nodes in it by their keys. */
  readonly children: Map<string, TreeNode> | undefined
}

export function parentOf(key: string): string {
  const at = key.lastIndexOf('/')
  return at <= 0 ? '/' : key.slice(0, at)
}

/** The key with a slash behind it: what all keys below it start with. */
export function below(key: string): string {
  return key === '/' ? '/' : `${key}/`
}

export function isHidden(key: string): boolean {
  return key.startsWith('_', key.lastIndexOf('/') + 1)
}

export interface View {
  readonly recursive: boolean
  readonly sorted: boolean
  readonly nowMs: number
}

/** As in a get: a directory with its visible children. */
export function renderTree(node: TreeNode, view: View): string {
  const nodes = node.children === undefined ? '' : renderChildren(node.children, view, true)
  return renderNode(node, view.nowMs, nodes)
}

function renderChildren(children: ReadonlyMap<string, TreeNode>, view: View, isTop: boolean): string {
  if (!isTop && !view.recursive) return ''
  const shown = [...children.values()].filter(({ key }) => !isHidden(key))
  if (shown.length === 0) return ''
  if (view.sorted) shown.sort((a, b) => (a.key < b.key ? -1 : 1))
  const parts = shown.map((child) =>
    renderNode(child, view.nowMs, child.children === undefined ? '' : renderChildren(child.children, view, false)),
  )
  return `,"nodes":[${parts.join(',')}]`
}

/** One node; `nodes` goes where its children belong. The root has neither key nor indices. */
export function renderNode(node: Node, nowMs: number, nodes = ''): string {
  const { key, value, expires, modified, created } = node
  const content = value === undefined ? '"dir":true' : `"value":${quote(value)}`
  const end = expires === undefined ? '' : renderExpiry(expires, nowMs)
  if (key === '/') return `{${content}${end}${nodes}}`
  return `{"key":${quote(key)},${content}${end}${nodes},"modifiedIndex":${modified},"createdIndex":${created}}`
}

/** The node of an event that took it away: neither value nor time to live are left of it. */
export function renderGone({ key, value, created }: Node, index: number): string {
  const dir = value === undefined ? ',"dir":true' : ''
  return `{"key":${quote(key)}${dir},"modifiedIndex":${index},"createdIndex":${created}}`
}

/** What 64 bits of nanoseconds hold: there Go's differences of times end. */
const MAX_SECONDS = 9_223_372_036.854

/** Seconds left, rounded up; the field is left out at 0, as Go's `omitempty` does. */
function renderExpiry(expires: number, nowMs: number): string {
  const seconds = (expires - nowMs) / 1000
  const ttl = Math.ceil(Math.max(-MAX_SECONDS, Math.min(MAX_SECONDS, seconds)))
  return `,"expiration":"${goTime(expires)}"${ttl === 0 ? '' : `,"ttl":${ttl}`}`
}

/** RFC 3339 without trailing zeros in the fraction, as Go writes times. */
function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z')
}
