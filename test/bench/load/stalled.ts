/** A watcher that asks and then never reads: what is meant for it piles up at the server, or the server cuts it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Target } from './connection.ts'
import { template } from './template.ts'

const CONNECT_TIMEOUT_MS = 20_000

export interface Stalled extends Disposable {
  /** Reads what is left, and says whether the server had ended the watch meanwhile. */
  wasCut(): Promise<boolean>
}

/** Resolves once the watch is asked for; from then on nothing of it is read. */
export async function stalledWatch(target: Target, request: string): Promise<Stalled> {
  const { host, port, tls } = target
  const raw = connect({ host, port })
  const socket: Socket = tls ? connectTls({ socket: raw, ...tls, servername: 'localhost' }) : raw
  socket.on('error', () => undefined) // being cut is what is waited for
  await once(socket, tls ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
  socket.write(template(request)(0))
  socket.pause()
  raw.pause()
  return {
    wasCut: () => readToEnd(socket),
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

const END_WITHIN_MS = 5_000

/** A watch that was cut has an end behind what the network still held of it; a living one goes on. */
async function readToEnd(socket: Socket): Promise<boolean> {
  const ended = once(socket, 'close', { signal: AbortSignal.timeout(END_WITHIN_MS) })
  socket.resume()
  return await ended.then(
    () => true,
    () => false,
  )
}
