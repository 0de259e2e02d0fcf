/**
 * A listener of the door's own: plain HTTP, for addresses that only trusted callers reach, or a unix socket as fleetctl
 * looks for it. Whoever may open the socket has the rights of the door.
 */

import { lstat, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createConnection } from 'node:net'
import type { FleetV1Door } from './door.ts'

export type ListenAt = { readonly host: string; readonly port: number } | { readonly socket: string }

export interface FleetV1Listener {
  /** `http://127.0.0.1:49153`, or `unix:///run/fleet.sock`: what fleetctl takes as its endpoint. */
  readonly url: string
  close(): Promise<void>
}

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 64 * 1024,
  noDelay: true,
}
const MAX_CONNECTIONS = 5_000
const CLOSING_MS = 2_000
const PROBE_MS = 1_000
/** The owner and the group: 0660. */
const SOCKET_UMASK = 0o117

/** Rejects with the system's error when the address cannot be had. */
export async function listenFleetV1(door: FleetV1Door, at: ListenAt): Promise<FleetV1Listener> {
  const server = createServer(LIMITS, (request, response) => door.handle(request, response))
  server.maxConnections = MAX_CONNECTIONS
  if ('socket' in at) await removeDeadSocket(at.socket)
  await bind(server, at)
  return { url: urlOf(server, at), close: () => close(server) }
}

function bind(server: Server, at: ListenAt): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const done = () => resolve()
    if (!('socket' in at)) {
      server.listen(at, done)
      return
    }
    // The file is made within this call, with its permissions: nobody gets a moment in between.
    const before = process.umask(SOCKET_UMASK)
    server.listen(at.socket, done)
    process.umask(before)
  })
}

/** A socket that nobody answers at is what a killed server left behind; what is no socket is left alone. */
async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined) // absent, or not ours to see: binding will tell
  if (found?.isSocket() && (await probe(path)) === 'ECONNREFUSED') await rm(path, { force: true })
}

/** How a connection to it fails; undefined where somebody answers, or does not say in time. */
function probe(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const end = (code: string | undefined) => {
      socket.destroy()
      resolve(code)
    }
    socket.setTimeout(PROBE_MS, () => end(undefined))
    socket.once('connect', () => end(undefined))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code))
  })
}

function urlOf(server: Server, at: ListenAt): string {
  if ('socket' in at) return `unix://${at.socket}`
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : at.port
  return `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${port}`
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), CLOSING_MS)
  await closed
  clearTimeout(timer)
}
