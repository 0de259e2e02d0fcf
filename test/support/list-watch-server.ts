/**
 * A server of one kind's list and watch over plain HTTP, whose misbehaviour a test chooses request by request. For what a
 * real API server does only when something is wrong with it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KubeConfig } from '@kubernetes/client-node'
import type { ApiObject } from '../../crds/kind.ts'

export interface OpenWatch {
  /** The resourceVersion it was asked to start after. */
  readonly from: string
  readonly url: URL
  send(type: string, object: unknown): void
  /** Ends it as a server does that shuts down. */
  end(): void
  /** Cuts the connection. */
  cut(): void
}

export interface ListWatchServer {
  readonly kubeconfig: KubeConfig
  /** What lists answer. */
  items: ApiObject[]
  resourceVersion: string
  /** Answers the next requests of this sort with these HTTP codes; 0 cuts the connection, -1 never answers. */
  readonly fail: { list: number[]; watch: number[] }
  /** Watches from before this version are answered 410. */
  keptFrom: number
  readonly seen: { lists: number; watches: OpenWatch[] }
  /** The newest watch. */
  readonly watch: OpenWatch | undefined
  close(): Promise<void>
}

export async function startListWatchServer(): Promise<ListWatchServer> {
  const http = createServer((request, response) => answer(state, request, response))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const state: ListWatchServer = {
    kubeconfig: kubeconfigOf(port),
    items: [],
    resourceVersion: '1',
    fail: { list: [], watch: [] },
    keptFrom: 0,
    seen: { lists: 0, watches: [] },
    get watch() {
      return state.seen.watches.at(-1)
    },
    close: async () => {
      const closed = new Promise((resolve) => http.close(resolve))
      http.closeAllConnections()
      await closed
    },
  }
  return state
}

function answer(state: ListWatchServer, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://test')
  const isWatch = url.searchParams.get('watch') === 'true'
  if (!isWatch) state.seen.lists++
  const isExpired = isWatch && Number(url.searchParams.get('resourceVersion')) < state.keptFrom
  const failure = isExpired ? 410 : state.fail[isWatch ? 'watch' : 'list'].shift()
  if (failure === -1) return
  if (failure === 0) return void request.socket.destroy()
  response.setHeader('content-type', 'application/json')
  if (failure !== undefined) {
    response.writeHead(failure).end(JSON.stringify({ kind: 'Status', code: failure, reason: 'Chosen', message: 'no' }))
  } else if (isWatch) openWatch(state, url, response)
  else response.end(JSON.stringify({ metadata: { resourceVersion: state.resourceVersion }, items: state.items }))
}

function openWatch(state: ListWatchServer, url: URL, response: ServerResponse): void {
  response.writeHead(200)
  response.flushHeaders()
  state.seen.watches.push({
    from: url.searchParams.get('resourceVersion') ?? '',
    url,
    send: (type, object) => void response.write(`${JSON.stringify({ type, object })}\n`),
    end: () => void response.end(),
    cut: () => void response.destroy(),
  })
}

function kubeconfigOf(port: number): KubeConfig {
  const kubeconfig = new KubeConfig()
  const server = `http://127.0.0.1:${port}`
  // client-node refuses plain HTTP unless verification is off.
  kubeconfig.loadFromClusterAndUser({ name: 'test', server, skipTLSVerify: true }, { name: 'test' })
  return kubeconfig
}
