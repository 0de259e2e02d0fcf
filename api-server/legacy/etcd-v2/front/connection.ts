/**
 * One connection of a client that asks plain requests. They are answered in their order, head and body in one write.
 * With the first request that is not plain the connection becomes node:http's, from that request's first byte on, and
 * stays so: deadlines for slow senders, chunks, waits and refusals of broken HTTP are all there.
 */
import type { Socket } from 'node:net'
import { type Answer, renderAnswer } from './answer.ts'
import { createReader, type PlainRequest } from './request.ts'

/** False, and nothing was done: it is not for this way. */
export type Ask = (request: PlainRequest, answer: Answer) => boolean

export interface Limits {
  /** A connection on which nothing was asked by then is handed over: node:http ends it. */
  readonly firstTimeoutMs: number
  readonly idleTimeoutMs: number
  /** An answer that a client has not taken by then will not be taken. */
  readonly takeTimeoutMs: number
}

/** Answers are written together up to here. */
const MAX_TOGETHER_CHARS = 64 * 1024

export interface Connection {
  /** Ends the connection, after the answer that is awaited. */
  close(): void
}

/** `handOver` is told when the connection is no longer this one's; it must be node:http's when that returns. */
export function serveConnection(socket: Socket, ask: Ask, handOver: () => void, limits: Limits): Connection {
  return new PlainConnection(socket, ask, handOver, limits)
}

class PlainConnection implements Connection {
  readonly #socket: Socket
  readonly #ask: Ask
  readonly #handOver: () => void
  readonly #limits: Limits
  readonly #read = createReader()
  /** What came while an answer was awaited or not yet taken: a chunk at most, for reading stops then. */
  #held: Buffer[] = []
  #awaitsAnswer = false
  #awaitsDrain: NodeJS.Timeout | undefined
  #isAsked = false
  #hasEnded = false
  #isClosing = false
  #out = ''

  constructor(socket: Socket, ask: Ask, handOver: () => void, limits: Limits) {
    this.#socket = socket
    this.#ask = ask
    this.#handOver = handOver
    this.#limits = limits
    for (const [event, listener] of this.#listeners) socket.on(event, listener)
    socket.setTimeout(limits.firstTimeoutMs)
  }

  close(): void {
    this.#isClosing = true
    if (!this.#isBusy) this.#socket.destroy()
  }

  get #isBusy(): boolean {
    return this.#awaitsAnswer || this.#awaitsDrain !== undefined
  }

  readonly #onData = (chunk: Buffer) => {
    if (this.#isBusy) this.#hold(chunk)
    else this.#take(chunk)
  }

  readonly #onEnd = () => {
    this.#hasEnded = true
    if (!this.#isBusy) this.#socket.end()
  }

  readonly #onDrain = () => {
    clearTimeout(this.#awaitsDrain)
    this.#awaitsDrain = undefined
    this.#goOn()
  }

  readonly #onTimeout = () => {
    if (!this.#isAsked) this.#give(undefined)
    else if (!this.#isBusy) this.#socket.destroy()
  }

  readonly #listeners: readonly (readonly [string, (chunk: Buffer) => void])[] = [
    ['data', this.#onData],
    ['end', this.#onEnd],
    ['drain', this.#onDrain],
    ['timeout', this.#onTimeout],
    ['error', () => this.#socket.destroy()],
    ['close', () => clearTimeout(this.#awaitsDrain)],
  ]

  #hold(bytes: Buffer): void {
    this.#held.push(bytes)
    this.#socket.pause()
  }

  #take(bytes: Buffer): void {
    const text = bytes.toString('latin1')
    let at = 0
    while (at < bytes.length && !this.#isBusy) {
      const read = this.#read(bytes, text, at)
      if (read === undefined || !this.#askOne(read.request)) break
      at = read.end
      if (this.#out.length > MAX_TOGETHER_CHARS) this.#flush()
    }
    this.#flush()
    if (at === bytes.length) return
    if (this.#isBusy) this.#hold(bytes.subarray(at))
    else this.#give(bytes.subarray(at))
  }

  /** False: not taken. */
  #askOne(request: PlainRequest): boolean {
    let isAnswered = false
    const isTaken = this.#ask(request, (status, headers, body) => {
      if (isAnswered) return
      isAnswered = true
      const keepSeconds = this.#isClosing ? undefined : this.#limits.idleTimeoutMs / 1000
      this.#out += renderAnswer(status, headers, body, keepSeconds)
      if (this.#awaitsAnswer) this.#answered()
    })
    if (!isTaken) return false
    if (!this.#isAsked) this.#socket.setTimeout(this.#limits.idleTimeoutMs)
    this.#isAsked = true
    this.#awaitsAnswer = !isAnswered
    return true
  }

  #answered(): void {
    this.#awaitsAnswer = false
    this.#flush()
    this.#goOn()
  }

  #flush(): void {
    const text = this.#out
    if (text === '') return
    this.#out = ''
    if (this.#socket.destroyed || this.#socket.write(text, 'latin1')) return
    this.#awaitsDrain ??= setTimeout(() => this.#socket.destroy(), this.#limits.takeTimeoutMs).unref()
  }

  /** With what came meanwhile. */
  #goOn(): void {
    if (this.#isBusy || this.#socket.destroyed) return
    if (this.#isClosing) {
      this.#socket.end()
      return
    }
    if (this.#held.length > 0) {
      const held = Buffer.concat(this.#held.splice(0))
      this.#socket.resume()
      this.#take(held)
    }
    if (!this.#isBusy && this.#hasEnded) this.#socket.end()
  }

  #give(bytes: Buffer | undefined): void {
    for (const [event, listener] of this.#listeners) this.#socket.off(event, listener)
    this.#socket.setTimeout(0)
    this.#handOver()
    if (bytes) this.#socket.emit('data', bytes)
    if (this.#hasEnded) this.#socket.emit('end')
  }
}
