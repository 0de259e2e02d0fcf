/**
 * Who hears of a change. Watchers that fix one field (`spec.machineName=m1`, `metadata.name=web.service`) are found by
 * that value, so an event costs what its own watchers cost, however many others there are.
 */

import type { Kind } from '../../crds/kind.ts'
import type { Change } from './change.ts'
import { getOrMake } from './get-or-make.ts'
import { type FieldSelector, selectablePaths } from './selectors.ts'

export interface Watcher {
  /** Gets every change that may concern it; filters by itself. Must not throw. */
  deliver(change: Change): void
  /** There will be no change any more: the kind is not served any longer, or not in this form. */
  end?(): void
}

export class WatcherIndex {
  readonly #paths: readonly string[]
  readonly #everything = new Set<Watcher>()
  /** By position of the field, then by value. */
  readonly #byField = new Map<number, Map<string, Set<Watcher>>>()

  constructor(kind: Kind) {
    this.#paths = selectablePaths(kind)
  }

  get size(): number {
    let count = this.#everything.size
    for (const values of this.#byField.values()) for (const watchers of values.values()) count += watchers.size
    return count
  }

  /** Tells every watcher that wants to hear of it that this was all. */
  end(): void {
    const selecting = [...this.#byField.values()].flatMap((values) => [...values.values()])
    for (const watchers of [this.#everything, ...selecting]) for (const watcher of [...watchers]) watcher.end?.()
  }

  /** Registers a watcher; the result takes it out again. */
  add(watcher: Watcher, fields: FieldSelector | undefined): () => void {
    const fixed = fields?.find((field) => field.equal)
    const at = fixed === undefined ? -1 : this.#paths.indexOf(fixed.path)
    if (fixed === undefined || at < 0) {
      this.#everything.add(watcher)
      return () => this.#everything.delete(watcher)
    }
    const values = getOrMake(this.#byField, at, () => new Map<string, Set<Watcher>>())
    getOrMake(values, fixed.value, () => new Set<Watcher>()).add(watcher)
    return () => {
      const watchers = values.get(fixed.value)
      watchers?.delete(watcher)
      if (watchers?.size === 0) values.delete(fixed.value)
    }
  }

  deliver(change: Change): void {
    for (const watcher of this.#everything) watcher.deliver(change)
    for (const [at, values] of this.#byField) {
      const now = change.entry?.fields[at]
      const before = change.previous?.fields[at]
      if (now !== undefined) deliverTo(values.get(now), change)
      if (before !== undefined && before !== now) deliverTo(values.get(before), change)
    }
  }
}

function deliverTo(watchers: ReadonlySet<Watcher> | undefined, change: Change): void {
  if (watchers) for (const watcher of watchers) watcher.deliver(change)
}
