/** The watchers that wait for what has not happened yet, by the key they watch. */
import { type Entry, isRemoval } from './event.ts'
import { isHiddenBelow } from './matching.ts'
import { parentOf } from './node.ts'

export interface Watcher {
  readonly key: string
  readonly recursive: boolean
  /** Stays after an event. */
  readonly stream: boolean
  /** Events before this index are not for it. */
  readonly since: number
  deliver(entry: Entry): void
  /** The server takes its leave: end without an event, so that the client asks again. */
  end(): void
}

export class WatcherHub {
  readonly #byKey = new Map<string, Set<Watcher>>()
  #count = 0

  get count(): number {
    return this.#count
  }

  add(watcher: Watcher): void {
    const there = this.#byKey.get(watcher.key)
    if (there) there.add(watcher)
    else this.#byKey.set(watcher.key, new Set([watcher]))
    this.#count += 1
  }

  remove(watcher: Watcher): void {
    const there = this.#byKey.get(watcher.key)
    if (!there?.delete(watcher)) return
    this.#count -= 1
    if (there.size === 0) this.#byKey.delete(watcher.key)
  }

  /** `gone`: the keys that went with a removal, its own last. */
  notify(entry: Entry, gone: readonly string[]): void {
    if (this.#count === 0 || entry.refresh) return
    if (isRemoval(entry)) for (const key of gone) this.#tell(entry, key, true)
    for (let key = entry.key; ; key = parentOf(key)) {
      this.#tell(entry, key, false)
      if (key === '/') return
    }
  }

  endAll(): void {
    const all = [...this.#byKey.values()].flatMap((watchers) => [...watchers])
    this.#byKey.clear()
    this.#count = 0
    for (const watcher of all) watcher.end()
  }

  #tell(entry: Entry, key: string, isGone: boolean): void {
    const watchers = this.#byKey.get(key)
    if (watchers === undefined) return
    const isOwn = entry.key === key
    if (!isOwn && isHiddenBelow(key, entry.key)) return
    for (const watcher of [...watchers]) {
      if (!(watcher.recursive || isOwn || isGone) || entry.index < watcher.since) continue
      if (!watcher.stream) this.remove(watcher)
      watcher.deliver(entry)
    }
  }
}
