/** One change of one object, and its wire form: rendered once a format, shared by every watcher that gets it. */
import type { Entry } from './entry.ts'

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** Turns an entry into the bytes of an event's `object`; `name` is the key under which they are shared. */
export interface Format {
  readonly name: string
  render(entry: Entry): Buffer
}

export const JSON_FORMAT: Format = { name: 'json', render: (entry) => entry.bytes }

const TAIL = Buffer.from('}\n')

export class Change {
  readonly version: bigint
  /** Undefined: deleted by this change. */
  readonly entry: Entry | undefined
  readonly previous: Entry | undefined
  /** What a watcher sees of a deletion: the last state under the deleting resourceVersion. */
  readonly tombstone: Entry | undefined
  readonly #lines = new Map<string, Buffer>()

  constructor(version: bigint, entry: Entry | undefined, previous: Entry | undefined, tombstone: Entry | undefined) {
    this.version = version
    this.entry = entry
    this.previous = previous
    this.tombstone = tombstone
  }

  get key(): string {
    return (this.entry ?? this.previous)?.key ?? ''
  }

  /** Memory that this change keeps alive beyond the cache's current state. */
  get sizeBytes(): number {
    return (this.entry?.bytes.length ?? 0) + (this.tombstone?.bytes.length ?? 0) + 256
  }

  /** The event for a watcher with `filter`, or undefined where the change does not concern it. */
  lineFor(filter: ((entry: Entry) => boolean) | undefined, format: Format): Buffer | undefined {
    const now = this.entry !== undefined && (filter === undefined || filter(this.entry))
    const before = this.previous !== undefined && (filter === undefined || filter(this.previous))
    if (now) return this.#line(before ? 'MODIFIED' : 'ADDED', this.entry, format)
    if (before) return this.#line('DELETED', this.tombstone, format)
    return undefined
  }

  #line(type: ChangeType, entry: Entry | undefined, format: Format): Buffer | undefined {
    if (entry === undefined) return undefined
    const key = `${type} ${format.name}`
    let line = this.#lines.get(key)
    if (line === undefined) {
      line = eventLine(type, entry, format)
      this.#lines.set(key, line)
      // Lines live only as long as the turn that sends them: the ring keeps bytes once, not once a format.
      setImmediate(() => this.#lines.delete(key))
    }
    return line
  }
}

export function eventLine(type: ChangeType, entry: Entry, format: Format): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), format.render(entry), TAIL])
}
