/**
 * Just enough of HTTP/1.1 to read answers fast: lengths, chunks, nothing else. A client that costs more than the server
 * would measure itself.
 */

export interface ResponseEvents {
  readonly onHead?: (status: number) => void
  /** A piece of the body as it arrives; only valid during the call. */
  readonly onBody?: (piece: Buffer) => void
  readonly onEnd: (status: number, bodyBytes: number) => void
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const LINE_FEED = 0x0a
const MAX_HEAD_BYTES = 64 * 1024

type Stage = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer'

export class ResponseReader {
  readonly #events: ResponseEvents
  #stage: Stage = 'head'
  /** The beginning of a head whose end has not come yet. */
  #carried: Buffer | undefined
  #line = ''
  #leftBytes = 0
  #status = 0
  #bodyBytes = 0

  constructor(events: ResponseEvents) {
    this.#events = events
  }

  /** Takes what the socket brings. Throws on what is not HTTP/1.1. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#stage === 'head') at = this.#readHead(chunk, at)
      else if (this.#stage === 'body' || this.#stage === 'chunk') at = this.#readBytes(chunk, at)
      else at = this.#readMark(chunk, at)
    }
  }

  /** Each of these returns where in `chunk` the next stage begins. */
  #readHead(chunk: Buffer, from: number): number {
    const rest = chunk.subarray(from)
    const all = this.#carried ? Buffer.concat([this.#carried, rest]) : rest
    const end = all.indexOf(END_OF_HEAD)
    if (end < 0) {
      if (all.length > MAX_HEAD_BYTES) throw new Error('the head of an answer does not end')
      this.#carried = Buffer.from(all)
      return chunk.length
    }
    this.#carried = undefined
    this.#begin(all.toString('latin1', 0, end))
    return chunk.length - (all.length - end - END_OF_HEAD.length)
  }

  #begin(head: string): void {
    this.#status = Number(head.slice(9, 12))
    this.#bodyBytes = 0
    this.#events.onHead?.(this.#status)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    this.#leftBytes = Number(length ?? 0)
    const chunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)
    this.#stage = chunked ? 'chunk-size' : 'body'
    if (!chunked && this.#leftBytes === 0) this.#finish()
  }

  #readBytes(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#leftBytes)
    this.#leftBytes -= to - from
    this.#bodyBytes += to - from
    this.#events.onBody?.(chunk.subarray(from, to))
    if (this.#leftBytes > 0) return to
    if (this.#stage === 'body') this.#finish()
    else this.#stage = 'chunk-end'
    return to
  }

  #readMark(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(LINE_FEED, from)
    this.#line += chunk.toString('latin1', from, end < 0 ? chunk.length : end)
    if (end < 0) return chunk.length
    const text = this.#line.trim()
    this.#line = ''
    this.#mark(text)
    return end + 1
  }

  #mark(text: string): void {
    if (this.#stage === 'chunk-size') {
      this.#leftBytes = Number.parseInt(text, 16)
      this.#stage = this.#leftBytes === 0 ? 'trailer' : 'chunk'
    } else if (this.#stage === 'chunk-end') this.#stage = 'chunk-size'
    else if (text === '') this.#finish()
  }

  #finish(): void {
    this.#stage = 'head'
    this.#events.onEnd(this.#status, this.#bodyBytes)
  }
}
