/** A watcher that asks and then never reads: what is meant for it piles up, in the kernel first and then at the server. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Target } from './connection.ts'
import { template } from './template.ts'

const CONNECT_TIMEOUT_MS = 20_000

/** Resolves once the watch is asked for; from then on nothing of it is read. */
export async function stalledWatch(target: Target, request: string): Promise<Disposable> {
  const { host, port, tls } = target
  const raw = connect({ host, port })
  const socket: Socket = tls ? connectTls({ socket: raw, ...tls, servername: 'localhost' }) : raw
  socket.on('error', () => undefined) // being cut is what the server may do
  await once(socket, tls ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
  socket.write(template(request)(0))
  socket.pause()
  raw.pause()
  return { [Symbol.dispose]: () => void socket.destroy() }
}
