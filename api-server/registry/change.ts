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
  readonly #lines = new Map<string, Buffer>()

  constructor(version: bigint, entry: Entry | undefined, previous: Entry | undefined) {
    this.version = version
    this.entry = entry
    this.previous = previous
  }

  get key(): string {
    return (this.entry ?? this.previous)?.key ?? ''
  }

  /** Memory that this change keeps alive beyond the cache's current state. */
  get sizeBytes(): number {
    return (this.entry?.bytes.length ?? 0) + (this.previous?.bytes.length ?? 0) + 256
  }

  /** The event for a watcher with `filter`, or undefined where the change does not concern it. */
  lineFor(filter: ((entry: Entry) => boolean) | undefined, format: Format): Buffer | undefined {
    const now = this.entry !== undefined && (filter === undefined || filter(this.entry))
    const before = this.previous !== undefined && (filter === undefined || filter(this.previous))
    if (now) return this.#line(before ? 'MODIFIED' : 'ADDED', format)
    return before ? this.#line('DELETED', format) : undefined
  }

  #line(type: ChangeType, format: Format): Buffer | undefined {
    const key = `${type} ${format.name}`
    const known = this.#lines.get(key)
    if (known !== undefined) return known
    const entry = type === 'DELETED' ? this.previous && lastState(this.previous, this.version) : this.entry
    if (entry === undefined) return undefined
    const line = eventLine(type, entry, format)
    // Lines live only as long as the turn that sends them: the ring keeps bytes once, not once a format.
    if (this.#lines.size === 0) setImmediate(() => this.#lines.clear())
    this.#lines.set(key, line)
    return line
  }
}

/** What a watcher sees of an object that is gone: its last state under the resourceVersion of the change. */
function lastState(entry: Entry, version: bigint): Entry {
  const text = entry.bytes.toString()
  // The first match is the object's own: nothing that a client chose stands before it (see encode.ts).
  return {
    ...entry,
    version,
    bytes: Buffer.from(text.replace(/"resourceVersion":"\d+"/, `"resourceVersion":"${version}"`)),
  }
}

export function eventLine(type: ChangeType, entry: Entry, format: Format): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), format.render(entry), TAIL])
}
