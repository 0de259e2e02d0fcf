/** The committed tree: what every get answers from. Changed only by `replica.ts`, in the order of the indices. */
import { below, type Node, parentOf, type TreeNode } from './node.ts'

/** What decisions are made on: this tree, or a draft over it. */
export interface NodeLookup {
  get(key: string): Node | undefined
}

export class Tree implements NodeLookup {
  readonly #nodes = new Map<string, TreeNode>()
  readonly #root: TreeNode = {
    ...{ key: '/', value: undefined, created: 0, modified: 0, expires: undefined },
    children: new Map(),
  }

  constructor() {
    this.#nodes.set('/', this.#root)
  }

  /** All nodes, the root among them. */
  get size(): number {
    return this.#nodes.size
  }

  get(key: string): TreeNode | undefined {
    return this.#nodes.get(key)
  }

  values(): IterableIterator<TreeNode> {
    return this.#nodes.values()
  }

  /** Replaces or adds; a directory keeps its children. False, with nothing changed, when its parent is not there. */
  put({ key, value, created, modified, expires }: Node): boolean {
    const siblings = this.#nodes.get(parentOf(key))?.children
    if (siblings === undefined) return false
    const children = value === undefined ? (this.#nodes.get(key)?.children ?? new Map<string, TreeNode>()) : undefined
    const node: TreeNode = { key, value, created, modified, expires, children }
    this.#nodes.set(key, node)
    siblings.set(key, node)
    return true
  }

  /** Takes the node away with everything below it; returns all their keys, children before their parents. */
  cut(key: string): string[] {
    const node = this.#nodes.get(key)
    if (node === undefined || key === '/') return []
    this.#nodes.get(parentOf(key))?.children?.delete(key)
    const gone: string[] = []
    this.#forget(node, gone)
    return gone
  }

  #forget(top: TreeNode, gone: string[]): void {
    const order: TreeNode[] = [top]
    for (const node of order) if (node.children) order.push(...node.children.values())
    for (const { key } of order.reverse()) {
      this.#nodes.delete(key)
      gone.push(key)
    }
  }
}

/**
 * Why there is nothing at `key`: 'file' with the file that is in the way, or 'missing' with the first component that
 * does not exist.
 */
export function whyAbsent(nodes: NodeLookup, key: string): { readonly why: 'file' | 'missing'; readonly key: string } {
  let end = 0
  for (;;) {
    end = key.indexOf('/', end + 1)
    const prefix = end < 0 ? key : key.slice(0, end)
    const node = nodes.get(prefix)
    if (node === undefined) return { why: 'missing', key: prefix }
    if (end < 0 || node.value !== undefined) return { why: 'file', key: prefix }
  }
}

export function isBelow(key: string, folder: string): boolean {
  return key.startsWith(below(folder))
}
