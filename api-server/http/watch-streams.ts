/** Every open watch of one listener: opened here, sent to together, ended together. */
import type { ServerResponse } from 'node:http'
import { type Frame, WatchStream, type WatchStreamOptions } from './watch-stream.ts'

/** Sending takes at most a fifth of the server's time, unless it then came later than anybody would like. */
const REST_FACTOR = 4
const MAX_REST_MS = 50

export class WatchStreams {
  readonly #open = new Set<WatchStream>()
  readonly #due = new Set<WatchStream>()
  #scheduled = false
  #closing = false
  /** Events written to watchers since the start. */
  sent = 0

  get size(): number {
    return this.#open.size
  }

  open(response: ServerResponse, options: WatchStreamOptions): WatchStream {
    const stream = new WatchStream(response, options, this)
    this.#open.add(stream)
    this.whenClosed(stream, () => {})
    if (this.#closing) stream.end()
    return stream
  }

  /** Replaces what is to be done when the stream has closed; that it is forgotten here goes without saying. */
  whenClosed(stream: WatchStream, run: () => void): void {
    stream.onClose(() => {
      this.#open.delete(stream)
      this.#due.delete(stream)
      run()
    })
  }

  /** The stream has lines to send. */
  due(stream: WatchStream): void {
    this.#due.add(stream)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
  }

  /** Ends every stream cleanly, and each that is opened from now on as soon as it is. */
  end(): void {
    this.#closing = true
    for (const stream of this.#open) stream.end()
  }

  /**
   * Sends to everybody who is due something. Where that takes long, the next time comes later: a write costs the same
   * for one change as for five, so a thousand watchers get several in one, and other requests get their turn.
   */
  #flush(): void {
    const start = performance.now()
    const due = [...this.#due]
    this.#due.clear()
    const frame = frames()
    for (const stream of due) stream.flush(frame)
    const tookMs = performance.now() - start
    const rested = (): void => {
      this.#scheduled = false
      const [first] = this.#due
      if (first !== undefined) this.due(first)
    }
    if (tookMs < 1) rested()
    else setTimeout(rested, Math.min(tookMs * REST_FACTOR, MAX_REST_MS))
  }
}

/** Joins lines, once for all who are due the same ones. */
function frames(): (lines: readonly Buffer[]) => Frame {
  const made = new Map<Buffer | undefined, Frame>()
  return (lines) => {
    const known = made.get(lines[0])
    if (known !== undefined && sameLines(known.lines, lines)) return known
    const frame = frameOf(lines)
    made.set(lines[0], frame)
    return frame
  }
}

function sameLines(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((line, at) => line === b[at])
}

const END_OF_CHUNK = Buffer.from('\r\n')

function frameOf(lines: readonly Buffer[]): Frame {
  const size = lines.reduce((sum, line) => sum + line.length, 0)
  const head = Buffer.from(`${size.toString(16)}\r\n`)
  const chunk = Buffer.concat([head, ...lines, END_OF_CHUNK])
  return { lines, chunk, bytes: chunk.subarray(head.length, head.length + size) }
}
