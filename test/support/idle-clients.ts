/** Many clients that ask once and then hold what they have: connections, watches. And what that costs the server. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { KubeConfig } from '@kubernetes/client-node'
import { within } from './within.ts'

export interface Door {
  readonly host: string
  readonly port: number
  /** Made once: reading keys and certificates anew costs more than a handshake. */
  readonly secureContext: SecureContext
  /** Resumed by all but the first: a full handshake each would measure the client's signatures. */
  session?: Buffer
}

/** The administrator's way to a server, from its kubeconfig. */
export function doorOf(kubeconfigPath: string): Door {
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromFile(kubeconfigPath)
  const [cluster, user] = [kubeconfig.getCurrentCluster(), kubeconfig.getCurrentUser()]
  const bytes = (data: string | undefined, file: string | undefined) =>
    data ? Buffer.from(data, 'base64') : readFileSync(file ?? '')
  const { hostname, port } = new URL(cluster?.server ?? '')
  const secureContext = createSecureContext({
    ca: bytes(cluster?.caData, cluster?.caFile),
    cert: bytes(user?.certData, user?.certFile),
    key: bytes(user?.keyData, user?.keyFile),
  })
  return { host: hostname, port: Number(port), secureContext }
}

const AT_ONCE = 64
const OPEN_TIMEOUT_MS = 20_000

/** One source address has some 28 000 ports; several share the load as several machines would. */
const sourceOf = (at: number) => `127.0.1.${1 + (at % 8)}`

/** `count` TLS connections that have been answered one request each. */
export async function openConnections(door: Door, count: number): Promise<TLSSocket[]> {
  return inBatches(count, async (at) => {
    const options: ConnectionOptions & { readonly localAddress: string } = { ...door, localAddress: sourceOf(at) }
    const socket = connect(options)
    socket.on('error', () => undefined)
    socket.once('session', (session: Buffer) => {
      door.session ??= session
    })
    await once(socket, 'secureConnect')
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
    return socket.resume()
  })
}

/** `count` watches, each on a connection of its own; the returned function lets go of them without a word. */
export async function openWatches(door: Door, path: string, count: number): Promise<() => void> {
  const requests = await inBatches(count, async (at) => {
    const outgoing = request({ ...door, path, agent: false, localAddress: sourceOf(at) })
    outgoing.on('error', () => undefined).end()
    const [incoming] = await once(outgoing, 'response')
    incoming.on('error', () => undefined).resume()
    return outgoing
  })
  return () => {
    for (const outgoing of requests) outgoing.destroy()
  }
}

async function inBatches<T>(count: number, open: (at: number) => Promise<T>): Promise<T[]> {
  const opened: T[] = []
  while (opened.length < count) {
    const size = Math.min(AT_ONCE, count - opened.length)
    const batch = Array.from({ length: size }, (_, at) => open(opened.length + at))
    opened.push(...(await within(OPEN_TIMEOUT_MS, Promise.all(batch), `${size} more than ${opened.length} to open`)))
  }
  return opened
}

/** How long one new request takes, on a connection that is made before the clock starts. */
export async function answerTimesMs(door: Door, count: number): Promise<number[]> {
  const [socket] = await openConnections(door, 1)
  const times: number[] = []
  for (let at = 0; at < count && socket; at++) {
    const begun = performance.now()
    socket.write('GET /version HTTP/1.1\r\nhost: x\r\n\r\n')
    await within(OPEN_TIMEOUT_MS, once(socket, 'data'), 'an answer')
    times.push(performance.now() - begun)
  }
  socket?.destroy()
  return times.sort((a, b) => a - b)
}

/** A figure of /metrics; the sum where it has several labels. */
export async function metricOf(door: Door, name: string): Promise<number> {
  const outgoing = request({ ...door, path: '/metrics', agent: false })
  outgoing.end()
  const [incoming] = await once(outgoing, 'response')
  let text = ''
  for await (const piece of incoming.setEncoding('utf8')) text += piece
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
