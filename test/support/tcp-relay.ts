/** A TCP relay before a server: a network that can be cut, or that swallows everything and says nothing. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpRelay extends AsyncDisposable {
  readonly port: number
  /** Connections open now. */
  readonly open: number
  /** Resets every open connection; new ones are taken all the same. */
  cut(): void
  /** From now on nothing passes, in connections old and new, and nobody is told. */
  swallow(): void
  /** Resets every connection and takes no more: the machine answers, the server is gone. */
  shut(): Promise<void>
}

export async function openTcpRelay(targetPort: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>()
  let isSwallowing = false
  const relay = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1')
    join(near, far, sockets, () => isSwallowing)
    join(far, near, sockets, () => isSwallowing)
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const { port } = relay.address() as AddressInfo
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const shut = async (): Promise<void> => {
    if (!relay.listening) return
    const closed = once(relay, 'close')
    relay.close()
    cut()
    await closed
  }
  return {
    port,
    get open() {
      return sockets.size / 2
    },
    cut,
    swallow: () => {
      isSwallowing = true
    },
    shut,
    [Symbol.asyncDispose]: shut,
  }
}

function join(from: Socket, to: Socket, sockets: Set<Socket>, isSwallowing: () => boolean): void {
  sockets.add(from)
  from.on('data', (chunk) => {
    if (!isSwallowing()) to.write(chunk)
  })
  from.on('end', () => {
    if (!isSwallowing()) to.end()
  })
  from.on('error', () => {
    if (!isSwallowing()) to.destroy()
  })
  from.on('close', () => {
    sockets.delete(from)
    if (!isSwallowing()) to.destroy()
  })
}
