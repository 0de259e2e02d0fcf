/**
 * Which kinds are served now: the built-in ones, and the users' own as their definitions have them at this moment.
 * Whoever makes something of the whole table (discovery, OpenAPI) lets `derived` say when it must be made anew.
 */
import type { Kind } from '../../crds/kind.ts'
import { compareVersions } from './version-order.ts'

export class ServedKinds {
  readonly #builtIn: readonly Kind[]
  #all: readonly Kind[] = []
  #byKey: ReadonlyMap<string, Kind> = new Map()
  #generation = 0

  constructor(builtIn: readonly Kind[]) {
    this.#builtIn = builtIn
    this.replaceCustom([])
  }

  /** Built-in kinds first; then by group, the preferred version of each before the others. */
  get all(): readonly Kind[] {
    return this.#all
  }

  get builtIn(): readonly Kind[] {
    return this.#builtIn
  }

  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#byKey.get(group === '' ? `${version}/${plural}` : `${group}/${version}/${plural}`)
  }

  replaceCustom(custom: readonly Kind[]): void {
    this.#all = [...this.#builtIn, ...custom.toSorted(compareKinds)]
    this.#byKey = new Map(this.#all.map((kind) => [kind.key, kind]))
    this.#generation++
  }

  /** What `make` makes of the table, once for each state of it. */
  derived<T>(make: (kinds: readonly Kind[]) => T): () => T {
    let made: { readonly from: number; readonly value: T } | undefined
    return () => {
      if (made?.from !== this.#generation) made = { from: this.#generation, value: make(this.#all) }
      return made.value
    }
  }
}

function compareKinds(a: Kind, b: Kind): number {
  return compareText(a.group, b.group) || compareVersions(a.version, b.version) || compareText(a.plural, b.plural)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
