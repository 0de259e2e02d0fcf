/** One keep-alive connection, plain or TLS, with at most one request under way. */
import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type ResponseEvents, ResponseReader } from './response-reader.ts'

export interface Target {
  readonly host: string
  readonly port: number
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
}

export type Answered = (status: number, bodyBytes: number) => void

export interface Connection {
  /** `answered` is called once the whole answer has arrived. */
  send(request: Buffer, answered: Answered): void
  close(): void
}

export interface ConnectionOptions extends Omit<ResponseEvents, 'onEnd'> {
  /** The connection broke, or what came was not HTTP. Not called after `close`. */
  readonly onFailure: (error: Error) => void
}

const CONNECT_TIMEOUT_MS = 20_000

/** Resolves once connected, TLS included. */
export async function openConnection(target: Target, options: ConnectionOptions): Promise<Connection> {
  const socket = await connected(target)
  socket.setNoDelay(true)
  let waiting: Answered | undefined
  let closed = false
  const fail = (error: Error) => {
    if (closed) return
    closed = true
    socket.destroy()
    options.onFailure(error)
  }
  const reader = new ResponseReader({
    ...options,
    onEnd: (status, bodyBytes) => {
      const answered = waiting
      waiting = undefined
      answered?.(status, bodyBytes)
    },
  })
  socket.on('data', (chunk: Buffer) => {
    try {
      reader.push(chunk)
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)))
    }
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed a connection')))
  return {
    send(request, answered) {
      waiting = answered
      socket.write(request)
    },
    close() {
      closed = true
      socket.destroy()
    },
  }
}

async function connected({ host, port, tls }: Target): Promise<Socket> {
  const socket = tls ? connectTls({ host, port, ...tls, servername: 'localhost' }) : connectPlain({ host, port })
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)),
    CONNECT_TIMEOUT_MS,
  )
  try {
    await once(socket, tls ? 'secureConnect' : 'connect')
    return socket
  } finally {
    clearTimeout(timer)
  }
}

/** So many at a time: a storm of TLS handshakes is a benchmark of its own. */
const OPENED_AT_ONCE = 8

export async function openConnections(
  target: Target,
  count: number,
  options: ConnectionOptions,
): Promise<Connection[]> {
  const opened: Connection[] = []
  while (opened.length < count) {
    const batch = Array.from({ length: Math.min(OPENED_AT_ONCE, count - opened.length) }, () =>
      openConnection(target, options),
    )
    opened.push(...(await Promise.all(batch)))
  }
  return opened
}
