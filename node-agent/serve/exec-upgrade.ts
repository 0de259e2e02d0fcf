/** From an HTTP upgrade to a running command. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { UnitDriver } from '../units/driver.ts'
import { EXEC_PROTOCOL } from './channels.ts'
import { execOver, parseExec } from './exec.ts'
import { refuseUpgrade } from './reply.ts'
import { whyNoTerminal } from './terminal.ts'

/** kubectl cp sends 32 KiB at a time. */
const MAX_MESSAGE_BYTES = 1024 * 1024

/** Settles when the session is over. */
export async function acceptExec(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  kind: UnitDriver['kind'],
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://agent')
  if (url.pathname !== '/exec') return refuseUpgrade(socket, 404, `nothing is served at ${url.pathname}`)
  if (!offered(request).includes(EXEC_PROTOCOL)) return refuseUpgrade(socket, 400, `exec speaks ${EXEC_PROTOCOL} only`)
  const exec = parseExec(url.searchParams)
  if (typeof exec === 'string') return refuseUpgrade(socket, 400, exec)
  const without = exec.terminal && (await whyNoTerminal())
  if (without) return refuseUpgrade(socket, 400, without)
  await execOver(await openSocket(request, socket, head), exec, kind)
}

/** Loaded when first needed: most agents never run a command. */
async function openSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => EXEC_PROTOCOL,
  })
  return await new Promise((resolve, reject) => {
    // A handshake that ws refuses never calls back: the end of the connection is all there is.
    socket.once('close', () => reject(new Error('the handshake was not completed')))
    server.handleUpgrade(request, socket, head, resolve)
  })
}

function offered(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
}
