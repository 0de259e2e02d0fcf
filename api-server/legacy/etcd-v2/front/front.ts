/**
 * What stands before node:http on a plain listener. It cannot be told from it but by its speed: node:http makes four
 * objects and a dozen turns of its streams of each request, which cost the door more than all that it does itself.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { type Ask, type Connection, type Limits, serveConnection } from './connection.ts'

export interface Front {
  /** Ends the connections that are not node:http's. */
  close(): void
  /** At once. */
  destroy(): void
}

/** Takes the place of node:http's own listener for connections, which is given those that are not plain. */
export function putBefore(server: Server, ask: Ask, limits: Limits): Front {
  const open = new Map<Socket, Connection>()
  const ordinary = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const forget = () => void open.delete(socket)
    const handOver = () => {
      forget()
      socket.off('close', forget)
      for (const listener of ordinary) listener.call(server, socket)
    }
    open.set(socket, serveConnection(socket, ask, handOver, limits))
    socket.once('close', forget)
  })
  return {
    close: () => {
      for (const connection of [...open.values()]) connection.close()
    },
    destroy: () => {
      for (const socket of [...open.keys()]) socket.destroy()
    },
  }
}
