/**
 * The one watch that a server keeps open on etcd, handed out to all its watchers; and from the heads that pass by, which
 * of our own transactions were committed, whether or not their answers arrive.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { CompactedError, type Event, type Revision, UnavailableError } from '../store.ts'
import type { WatchHub } from '../watch-hub.ts'
import { type Counting, decodeHead, type Head, keyValueOf } from './layout.ts'
import type { EtcdEvent } from './messages.ts'
import { type HeadAt, readHead, replaced } from './meta.ts'
import { changesAfter, HistoryGoneError, type Position, type StreamDeps } from './watch-stream.ts'

export interface LiveDeps extends StreamDeps {
  readonly counting: Counting
  readonly hub: WatchHub
  readonly log?: Pick<Logger, 'warn'> | undefined
  /** Called for each head that passes. */
  readonly onHead: (head: Head, revision: Revision) => void
}

export interface Live {
  /** Newest revision that the watchers were handed. */
  readonly revision: Revision
  /** Resolves once they were handed `revision`. Rejects with `signal`'s reason, or when the store is closed. */
  reached(revision: Revision, signal: AbortSignal | undefined): Promise<void>
  /** Resolves with the revision of our own transaction `id` when it passes by, never rejects. Forget it when done. */
  committed(id: string): { readonly revision: Promise<Revision>; forget(): void }
  close(): Promise<void>
}

const PAUSE_MS = 1_000
const EMPTY = new Uint8Array(0)

/** An event of the seam; undefined for the store's own keys. */
export function eventOf(
  { type, kv, prev_kv }: EtcdEvent,
  { layout, counting }: Pick<LiveDeps, 'layout' | 'counting'>,
): Event | undefined {
  const key = layout.logical(kv.key)
  if (key === undefined) return undefined
  const previous = prev_kv === null ? undefined : keyValueOf(key, prev_kv, counting)
  const now = keyValueOf(key, kv, counting)
  if (type === 0) return { type: 'put', kv: now, previous }
  return { type: 'delete', kv: { ...now, value: EMPTY, created: previous?.created ?? now.created }, previous }
}

class LiveWatch implements Live {
  readonly #deps: LiveDeps
  readonly #stop = new AbortController()
  readonly #waiting = new Map<() => void, Revision>()
  readonly #pending = new Map<string, (revision: Revision) => void>()
  readonly #ended: Promise<void>
  #revision: Revision

  constructor(deps: LiveDeps, { revision, readAt }: HeadAt) {
    this.#deps = deps
    this.#revision = deps.counting.seam(revision)
    this.#ended = this.#follow({ seen: revision, from: readAt + 1n })
  }

  get revision(): Revision {
    return this.#revision
  }

  reached(revision: Revision, signal: AbortSignal | undefined): Promise<void> {
    if (revision <= this.#revision) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#waiting.delete(settle)
        signal?.removeEventListener('abort', settle)
        if (signal?.aborted) reject(signal.reason)
        else if (this.#stop.signal.aborted) reject(new UnavailableError('the store is closed'))
        else resolve()
      }
      this.#waiting.set(settle, revision)
      signal?.addEventListener('abort', settle, { once: true })
      if (signal?.aborted || this.#stop.signal.aborted) settle()
    })
  }

  committed(id: string): { readonly revision: Promise<Revision>; forget(): void } {
    const revision = new Promise<Revision>((resolve) => this.#pending.set(id, resolve))
    return { revision, forget: () => this.#pending.delete(id) }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    for (const settle of [...this.#waiting.keys()]) settle()
    await this.#ended
  }

  /** Goes on until closed: what ends the watchers does not end the store. */
  async #follow(from: Position): Promise<void> {
    const { signal } = this.#stop
    const { hub, layout } = this.#deps
    let position = from
    while (!signal.aborted) {
      try {
        for await (const events of changesAfter(this.#deps, position, signal)) {
          // Nobody changes it while servers run: what follows is another store.
          if (events.some(({ kv }) => layout.format.equals(kv.key))) hub.close(replaced())
          else this.#publish(events)
        }
      } catch (error) {
        this.#deps.log?.warn({ err: error }, 'the watch on etcd has ended and is made anew')
        position = await this.#afresh(error)
      }
    }
  }

  /** Where to go on. History that is gone is told to the watchers; after anything else they have missed nothing. */
  async #afresh(error: unknown): Promise<Position> {
    const { hub, counting, endpoints, layout } = this.#deps
    const { signal } = this.#stop
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined)
    const resumed = { seen: counting.etcd(this.#revision) }
    if (!(error instanceof HistoryGoneError)) return resumed
    const head = await readHead(endpoints, layout, signal).catch(() => undefined)
    if (head === undefined) return resumed
    hub.close(new CompactedError(counting.seam(error.compacted)))
    this.#advance(counting.seam(head.revision))
    return { seen: head.revision, from: head.readAt + 1n }
  }

  #publish(events: readonly EtcdEvent[]): void {
    const { hub, counting, layout } = this.#deps
    const changes: { key: string; event: () => Event }[] = []
    const heads: EtcdEvent[] = []
    for (const each of events) {
      const event = eventOf(each, this.#deps)
      if (event !== undefined) changes.push({ key: event.kv.key, event: () => event })
      else if (layout.head.equals(each.kv.key) && each.type === 0) heads.push(each)
    }
    const last = events.at(-1)
    if (last !== undefined) this.#revision = counting.seam(last.kv.mod_revision)
    hub.publish(changes)
    hub.deliver()
    for (const { kv } of heads) this.#passed(decodeHead(kv.value), counting.seam(kv.mod_revision))
    this.#advance(this.#revision)
  }

  #passed(head: Head, revision: Revision): void {
    this.#deps.onHead(head, revision)
    this.#pending.get(head.id)?.(revision)
  }

  #advance(revision: Revision): void {
    this.#revision = revision
    // A Map may lose what it is at while it is gone through.
    for (const [settle, wanted] of this.#waiting) if (wanted <= revision) settle()
  }
}

export function liveWatch(deps: LiveDeps, head: HeadAt): Live {
  return new LiveWatch(deps, head)
}
