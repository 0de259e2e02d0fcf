/** The newest events in memory, bounded in number and in bytes; what is older is read from the store. */
import type { Entry } from './event.ts'
import { matchesPast } from './matching.ts'

const MAX_ENTRIES = 1_000
const MAX_BYTES = 16 * 1024 * 1024

export class Ring {
  #entries: Entry[] = []
  /** Position of the oldest; what is before it is dropped now and then. */
  #start = 0
  #bytes = 0

  /** Index of the oldest event held, or undefined. */
  get oldest(): number | undefined {
    return this.#entries[this.#start]?.index
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#bytes += entry.body.length
    while (this.#entries.length - this.#start > MAX_ENTRIES || this.#bytes > MAX_BYTES) this.#drop()
    if (this.#start > MAX_ENTRIES) {
      this.#entries = this.#entries.slice(this.#start)
      this.#start = 0
    }
  }

  clear(): void {
    this.#entries = []
    this.#start = 0
    this.#bytes = 0
  }

  /** The first event from `index` on that matches; the ring must reach back that far. */
  find(key: string, recursive: boolean, index: number): Entry | undefined {
    const oldest = this.oldest
    if (oldest === undefined) return undefined
    for (let at = this.#start + Math.max(0, index - oldest); at < this.#entries.length; at += 1) {
      const entry = this.#entries[at]
      if (entry !== undefined && matchesPast(entry, key, recursive)) return entry
    }
    return undefined
  }

  #drop(): void {
    const entry = this.#entries[this.#start]
    if (entry === undefined) return
    this.#bytes -= entry.body.length
    this.#entries[this.#start] = GONE
    this.#start += 1
  }
}

/** Stands where an event was, so that its bytes are free at once. */
const GONE: Entry = { index: 0, action: 'set', key: '', tookDir: false, refresh: true, body: '' }
