/**
 * Changes that are decided but not yet durable, seen over the committed tree. Reads of clients go to the tree alone, so
 * nobody is shown what a crash could still take back; decisions go to the draft, so that each sees the ones before it.
 */
import type { Entry } from './event.ts'
import { type Node, parentOf } from './node.ts'
import { isBelow, type NodeLookup, type Tree } from './tree.ts'

export class Draft implements NodeLookup {
  readonly #tree: Tree
  /** Undefined: gone. */
  readonly #changed = new Map<string, Node | undefined>()
  readonly #cuts = new Set<string>()
  readonly #entries: Entry[] = []
  readonly #base: number

  constructor(tree: Tree, index: number) {
    this.#tree = tree
    this.#base = index
  }

  /** The index of the last event, this draft's included. */
  get index(): number {
    return this.#base + this.#entries.length
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** The nodes as they are in the end; those that are gone are told by the entries. */
  puts(): Node[] {
    return [...this.#changed.values()].filter((node) => node !== undefined)
  }

  get(key: string): Node | undefined {
    if (this.#changed.has(key)) return this.#changed.get(key)
    if (this.#cuts.size > 0 && this.#underCut(key)) return undefined
    return this.#tree.get(key)
  }

  put(node: Node): void {
    this.#changed.set(node.key, node)
  }

  cut(key: string): void {
    for (const changed of this.#changed.keys()) if (isBelow(changed, key)) this.#changed.delete(changed)
    this.#changed.set(key, undefined)
    this.#cuts.add(key)
  }

  hasChildren(key: string): boolean {
    for (const [changed, node] of this.#changed) if (node !== undefined && parentOf(changed) === key) return true
    if (this.#cuts.has(key) || this.#underCut(key)) return false
    for (const child of this.#tree.get(key)?.children?.keys() ?? []) if (!this.#changed.has(child)) return true
    return false
  }

  record(entry: Entry): void {
    this.#entries.push(entry)
  }

  /** The result takes back all that was decided since. */
  save(): () => void {
    const [changed, cuts, count] = [[...this.#changed], [...this.#cuts], this.#entries.length]
    return () => {
      this.#changed.clear()
      for (const [key, node] of changed) this.#changed.set(key, node)
      this.#cuts.clear()
      for (const key of cuts) this.#cuts.add(key)
      this.#entries.length = count
    }
  }

  #underCut(key: string): boolean {
    for (let at = key.lastIndexOf('/'); at > 0; at = key.lastIndexOf('/', at - 1))
      if (this.#cuts.has(key.slice(0, at))) return true
    return false
  }
}
