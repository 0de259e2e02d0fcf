/** Where a member listens, and under which addresses the others find it. */
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'

export interface ListenFlags {
  /** `HOST:PORT`; port 0 takes any free one, which is then kept. */
  readonly client?: string | undefined
  readonly peer?: string | undefined
  /** Host under which other servers reach this one. */
  readonly advertise: string
}

export interface Addresses {
  readonly clientListen: string
  readonly peerListen: string
  readonly clientUrl: string
  readonly peerUrl: string
}

const CLIENT_PORT = 2379
const PEER_PORT = 2380
const ANY = new Set(['0.0.0.0', '::'])

/** The host of a listen address, or where it listens on all of them, the first address that is not loopback. */
export function advertisedHost(listenHost: string): string {
  if (!ANY.has(listenHost)) return listenHost
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const found = all.find(({ internal, family }) => !internal && family === 'IPv4') ?? all.find((each) => !each.internal)
  return found?.address ?? '127.0.0.1'
}

export async function chooseAddresses({ client, peer, advertise }: ListenFlags): Promise<Addresses> {
  const clients = await settle(client ?? join(advertise, CLIENT_PORT))
  const peers = await settle(peer ?? join(advertise, PEER_PORT))
  return {
    clientListen: clients,
    peerListen: peers,
    clientUrl: `https://${advertised(clients, advertise)}`,
    peerUrl: `https://${advertised(peers, advertise)}`,
  }
}

/** A free port in place of 0. Throws a sentence that shows the form. */
async function settle(listen: string): Promise<string> {
  const { host: given, port } = split(listen)
  // etcd binds addresses, not names.
  const host = given === 'localhost' ? '127.0.0.1' : given
  return join(host, port === 0 ? await freePort(host) : port)
}

function advertised(listen: string, host: string): string {
  const { host: bound, port } = split(listen)
  return join(ANY.has(bound) ? host : bound, port)
}

function split(listen: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(listen)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535)
    throw new Error(`etcd cannot listen on "${listen}": give HOST:PORT, for example 10.0.0.1:2379`)
  return { host, port }
}

function join(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
