/** The wire half of dbus-next, which its own typings leave out: see dbus-connection.ts for why it is used directly. */
declare module 'dbus-next/lib/connection.js' {
  import type { EventEmitter } from 'node:events'
  import type { Socket } from 'node:net'
  import type { Message } from 'dbus-next'

  export interface Connection extends EventEmitter {
    readonly stream: Socket
    /** Sends now, or once the handshake is done; throws when the stream is closed. */
    message(message: Message): void
  }

  export default function createConnection(options: { busAddress: string }): Connection
}
