/**
 * One client's open watch. Lines of a loop turn leave in one write; a client that does not read is cut, because what
 * waits for it would grow without bound.
 */
import type { ServerResponse } from 'node:http'
import type { Kind } from '../../crds/kind.ts'
import { CACHE_CONTROL } from './reply.ts'

const MAX_WAITING_BYTES = 8 * 1024 * 1024
const BOOKMARK_EVERY_MS = 10_000

export interface WatchStreamOptions {
  readonly bookmarks: boolean
  readonly kind: Kind
  readonly timeoutMs: number
  /** Newest version that the watcher may be told of. */
  readonly version: () => bigint
}

/** Streams with something to send this turn; one immediate serves them all. */
const dirty = new Set<WatchStream>()

function flushAll(): void {
  for (const stream of dirty) stream.flush()
  dirty.clear()
}

export class WatchStream {
  readonly #response: ServerResponse
  readonly #options: WatchStreamOptions
  readonly #timers: NodeJS.Timeout[] = []
  #lines: Buffer[] = []
  #onClose: () => void = () => {}

  constructor(response: ServerResponse, options: WatchStreamOptions) {
    this.#response = response
    this.#options = options
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': CACHE_CONTROL })
    response.flushHeaders()
    response.on('close', () => this.#release())
    this.#timers.push(setTimeout(() => this.end(), options.timeoutMs))
    if (options.bookmarks) this.#timers.push(setInterval(() => this.bookmark(), BOOKMARK_EVERY_MS))
  }

  get closed(): boolean {
    return this.#response.destroyed || this.#response.writableEnded
  }

  /** Called once, when the client has gone or the stream has ended. */
  onClose(run: () => void): void {
    this.#onClose = run
    if (this.closed) this.#release()
  }

  send(line: Buffer): void {
    if (this.#lines.push(line) > 1) return
    if (dirty.size === 0) setImmediate(flushAll)
    dirty.add(this)
  }

  flush(): void {
    const lines = this.#lines
    if (lines.length === 0 || this.closed) return
    this.#lines = []
    if (this.#response.writableLength > MAX_WAITING_BYTES) this.#response.destroy()
    else this.#response.write(lines.length === 1 ? lines[0] : Buffer.concat(lines))
  }

  bookmark(annotations?: Record<string, string>): void {
    const { apiVersion, kind } = this.#options.kind
    const metadata = {
      resourceVersion: String(this.#options.version()),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    }
    this.send(Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object: { kind, apiVersion, metadata } })}\n`))
  }

  /** A clean end: clients take it as normal and watch again from where they are. */
  end(): void {
    if (this.closed) return
    if (this.#options.bookmarks) this.bookmark()
    this.flush()
    this.#response.end()
  }

  #release(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#lines = []
    dirty.delete(this)
    const run = this.#onClose
    this.#onClose = () => {}
    run()
  }
}
