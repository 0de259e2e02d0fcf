/** HTTP/1.1 by hand on one connection, so that a request goes out, and an answer is seen, byte for byte. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { within } from '../within.ts'

export interface RawRequest {
  readonly method: string
  readonly target: string
  readonly headers?: readonly (readonly [string, string])[]
  /** Bytes, one a character. */
  readonly body?: string
}

export interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

const ANSWER_TIMEOUT_MS = 10_000

export function requestBytes({ method, target, headers = [], body }: RawRequest): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: etcd', ...headers.map(([name, value]) => `${name}: ${value}`)]
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`, 'latin1')
}

/** One connection. Answers come in the order of the requests; a wait's head can be had before its body. */
export class RawConnection {
  readonly #socket: Socket
  #received = ''
  #ended = false
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1')
      this.#wake()
    })
    const end = () => {
      this.#ended = true
      this.#wake()
    }
    socket.on('close', end).on('end', end).on('error', end)
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port) })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  send(request: RawRequest): void {
    this.#socket.write(requestBytes(request))
  }

  /** As it is, whatever it is. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  async ask(request: RawRequest): Promise<RawAnswer> {
    this.send(request)
    return this.answer(request.method)
  }

  async answer(method: string): Promise<RawAnswer> {
    const head = await this.head()
    return { ...head, body: method === 'HEAD' ? '' : await this.body(head.headers) }
  }

  /** Status and headers, as soon as they are there. */
  async head(): Promise<Omit<RawAnswer, 'body'>> {
    const [line = '', ...rest] = (await this.#upTo('\r\n\r\n', 'the head of an answer')).split('\r\n')
    const headers = new Map<string, string>()
    for (const header of rest) {
      const at = header.indexOf(':')
      headers.set(header.slice(0, at).toLowerCase(), header.slice(at + 1).trim())
    }
    return { status: Number(line.split(' ')[1]), headers }
  }

  /** The next chunk of a chunked body; undefined at its end. */
  async chunk(timeoutMs = ANSWER_TIMEOUT_MS): Promise<string | undefined> {
    const size = Number.parseInt(await this.#upTo('\r\n', 'a chunk', timeoutMs), 16)
    const data = await this.#take(size + 2)
    return size === 0 ? undefined : data.slice(0, size)
  }

  /** What has come and was not asked for yet. */
  get pending(): string {
    return this.#received
  }

  get ended(): boolean {
    return this.#ended
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Of the answer whose head was read last. */
  async body(headers: ReadonlyMap<string, string>): Promise<string> {
    if (headers.get('transfer-encoding') !== 'chunked') return this.#take(Number(headers.get('content-length') ?? 0))
    let body = ''
    for (let chunk = await this.chunk(); chunk !== undefined; chunk = await this.chunk()) body += chunk
    return body
  }

  async #upTo(mark: string, what: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<string> {
    await this.#until(() => this.#received.includes(mark), what, timeoutMs)
    const at = this.#received.indexOf(mark)
    const text = this.#received.slice(0, at)
    this.#received = this.#received.slice(at + mark.length)
    return text
  }

  async #take(bytes: number): Promise<string> {
    await this.#until(() => this.#received.length >= bytes, `${bytes} bytes`)
    const text = this.#received.slice(0, bytes)
    this.#received = this.#received.slice(bytes)
    return text
  }

  async #until(condition: () => boolean, what: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<void> {
    if (condition()) return
    const arrival = new Promise<void>((resolve, reject) => {
      this.#wake = () => {
        if (condition()) resolve()
        else if (this.#ended) reject(new Error(`the connection ended before ${what}; received: ${this.#received}`))
      }
      this.#wake()
    })
    await within(timeoutMs, arrival, what)
  }
}
