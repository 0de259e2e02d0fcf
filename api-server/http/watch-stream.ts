/**
 * One client's open watch. What is due to it in a loop turn leaves in one write, framed once for all that get the same;
 * a client that does not read is cut, because what waits for it would grow without bound.
 */
import type { ServerResponse } from 'node:http'
import type { Kind } from '../../crds/kind.ts'
import { CACHE_CONTROL, drained, JSON_TYPE } from './reply.ts'
import type { WatchStreams } from './watch-streams.ts'

const MAX_WAITING_BYTES = 8 * 1024 * 1024
const PIECE_BYTES = 128 * 1024
const BOOKMARK_EVERY_MS = 10_000

export interface WatchStreamOptions {
  readonly bookmarks: boolean
  /** What bookmarks are said to be: the same as what the watch sends. */
  readonly kind: Pick<Kind, 'kind' | 'apiVersion'>
  readonly timeoutMs: number
  /** Newest version that was published to every watcher. */
  readonly version: () => bigint
}

/** Lines as they go over the wire: joined, and framed as one chunk of a chunked body. */
export interface Frame {
  readonly lines: readonly Buffer[]
  readonly bytes: Buffer
  readonly chunk: Buffer
}

export class WatchStream {
  readonly #response: ServerResponse
  readonly #options: WatchStreamOptions
  readonly #streams: WatchStreams
  readonly #timers: NodeJS.Timeout[] = []
  #lines: Buffer[] = []
  #waitingBytes = 0
  #onClose: () => void = () => {}
  /** The version that its first lines brought it to; undefined while they are sent. */
  #begun: bigint | undefined

  /** Answers with the head at once: clients wait for it before anything else. */
  constructor(response: ServerResponse, options: WatchStreamOptions, streams: WatchStreams) {
    this.#response = response
    this.#options = options
    this.#streams = streams
    response.writeHead(200, { 'content-type': JSON_TYPE, 'cache-control': CACHE_CONTROL })
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

  /**
   * Sends `initial` as fast as the client takes it; what `send` gets meanwhile follows. `version` is where that brings
   * the watcher: no bookmark is sent before, because who resumed from it would miss the rest.
   */
  async begin(initial: Iterable<Buffer>, version: bigint): Promise<void> {
    let piece: Buffer[] = []
    let bytes = 0
    for (const line of initial) {
      piece.push(line)
      bytes += line.length
      if (bytes < PIECE_BYTES) continue
      if (this.closed) return
      if (!this.#response.write(Buffer.concat(piece))) await drained(this.#response)
      piece = []
      bytes = 0
    }
    if (this.closed) return
    if (bytes > 0) this.#response.write(Buffer.concat(piece))
    this.#begun = version
    if (this.#lines.length > 0) this.#streams.due(this)
  }

  send(line: Buffer): void {
    if (this.closed) return
    this.#waitingBytes += line.length
    if (this.#lines.push(line) === 1 && this.#begun !== undefined) this.#streams.due(this)
    if (this.#begun === undefined && this.#waitingBytes > MAX_WAITING_BYTES) this.#response.destroy()
  }

  /** Writes what is due; `frame` joins lines, the same for every stream that is due the same. */
  flush(frame: (lines: readonly Buffer[]) => Frame): void {
    const lines = this.#lines
    if (lines.length === 0 || this.closed) return
    this.#lines = []
    this.#waitingBytes = 0
    this.#streams.sent += lines.length
    const { socket, chunkedEncoding, writableLength } = this.#response
    if (writableLength > MAX_WAITING_BYTES) this.#response.destroy()
    // Past the response, which would frame the same bytes anew for each of a thousand watchers, in four writes each.
    else if (chunkedEncoding && socket) socket.write(frame(lines).chunk)
    else this.#response.write(frame(lines).bytes)
  }

  bookmark(annotations?: Record<string, string>): void {
    if (this.#begun === undefined) return
    const { kind, version } = this.#options
    const newest = version()
    const metadata = {
      resourceVersion: String(newest > this.#begun ? newest : this.#begun),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    }
    const object = { kind: kind.kind, apiVersion: kind.apiVersion, metadata }
    this.send(Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`))
  }

  /** A clean end: clients take it as normal and watch again from where they are. */
  end(last?: Buffer): void {
    if (this.closed) return
    if (this.#options.bookmarks) this.bookmark()
    const lines = last === undefined ? this.#lines : [...this.#lines, last]
    // Before the first lines are all out, later ones would come too early: their watcher resumes from what it has.
    const rest = this.#begun === undefined && last === undefined ? [] : lines
    this.#lines = []
    this.#response.end(Buffer.concat(rest))
  }

  #release(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#lines = []
    const run = this.#onClose
    this.#onClose = () => {}
    run()
  }
}
