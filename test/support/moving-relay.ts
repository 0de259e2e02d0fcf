/** A TCP relay whose server may come back on another port: a network that can be cut, and closed. See tcp-relay.ts, too. */
import { connect, createServer, type Server, type Socket } from 'node:net'

/** In front of a server, so that connections can be cut, kept out, and the server can come back on another port. */
export class Relay {
  readonly #sockets = new Set<Socket>()
  readonly #answers = new Map<Socket, Socket>()
  readonly #server: Server
  /** Port on loopback; at 0 nobody gets through. */
  target = 0

  constructor() {
    this.#server = createServer((client) => this.#join(client))
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as { port: number }).port
  }

  #join(client: Socket): void {
    if (this.target === 0) {
      client.resetAndDestroy()
      return
    }
    const server = connect(this.target, '127.0.0.1')
    this.#answers.set(server, client)
    server.on('close', () => this.#answers.delete(server))
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one)
      one
        .on('error', () => one.destroy())
        .on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
      one.pipe(other)
    }
  }

  /** What servers say on the connections of now waits until `release`, as with a reader that is too slow. */
  hold(): () => void {
    const held = [...this.#answers]
    for (const [server] of held) server.unpipe().pause()
    return () => {
      for (const [server, client] of held) if (!server.destroyed) server.pipe(client)
    }
  }

  /** Resets every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }
}
