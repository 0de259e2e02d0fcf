/**
 * Who we are towards the API server. client-node's KubeConfig knows every way of saying so (certificates, tokens, exec
 * plug-ins, proxies), but it makes a new connection pool for every request, so a view of it with our pools is used.
 */
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { type DispatcherOptions, HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node'
import { Agent, type Dispatcher } from 'undici'

export interface Access {
  readonly dispatcher: Dispatcher
  readonly headers: Readonly<Record<string, string>>
}

export interface Credentials {
  /** Scheme, host, port and path prefix, without a slash at the end. */
  readonly server: string
  /** What to send requests with; read again from the kubeconfig's files at most once a minute. */
  access(): Promise<Access>
  /** The server did not accept us: read them again with the next call. */
  refused(): void
  /** For client-node's Watch: with pools of its own, since every watch keeps a connection. */
  readonly forWatch: KubeConfig
  /** The same for a watch without client-node; read anew for each. */
  watchAccess(): Promise<Access>
  /** Open watches end, and whatever comes next connects anew; calls in flight may still be answered. */
  reconnect(): void
  close(): Promise<void>
}

export type CredentialsSource = ({ readonly kubeconfigPath: string } | { readonly kubeconfig: KubeConfig }) & {
  /** Connections for requests, 16 unless given; each open watch has one more of its own. */
  readonly maxConnections?: number
}

const MAX_AGE_MS = 60_000
const MAX_RESPONSE_BYTES = 512 * 1024 * 1024
const CONNECT_TIMEOUT_MS = 3_000

export function createCredentials(source: CredentialsSource): Credentials {
  const kubeconfig = 'kubeconfig' in source ? source.kubeconfig : load(source.kubeconfigPath)
  const cluster = kubeconfig.getCurrentCluster()
  if (!cluster) throw new Error('the kubeconfig names no current cluster')
  const server = cluster.server.replace(/\/+$/, '')
  const calls = pooled(kubeconfig, { connections: source.maxConnections ?? 16, maxResponseSize: MAX_RESPONSE_BYTES })
  const watches = pooled(kubeconfig, { bodyTimeout: 0 })
  let known: { readonly access: Promise<Access>; readonly readAtMs: number } | undefined
  return {
    server,
    access: () => {
      if (!known || performance.now() - known.readAtMs > MAX_AGE_MS)
        known = { access: readAccess(calls.kubeconfig, server), readAtMs: performance.now() }
      return known.access
    },
    refused: () => {
      known = undefined
    },
    forWatch: watches.kubeconfig,
    watchAccess: () => readAccess(watches.kubeconfig, server),
    reconnect: () => {
      known = undefined
      // Calls go on to their answer or their deadline; a watch has neither.
      calls
        .leave()
        ?.close()
        .catch(() => {})
      watches
        .leave()
        ?.destroy()
        .catch(() => {})
    },
    close: async () => {
      await Promise.all([calls.destroy(), watches.destroy()])
    },
  }
}

function load(path: string): KubeConfig {
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromFile(path)
  return kubeconfig
}

async function readAccess(kubeconfig: KubeConfig, server: string): Promise<Access> {
  const context = new RequestContext(server, HttpMethod.GET)
  await kubeconfig.applySecurityAuthentication(context)
  const dispatcher = context.getDispatcher()
  if (!dispatcher) throw new Error('the kubeconfig gave no way to connect')
  return { dispatcher, headers: context.getHeaders() }
}

/** The part of KubeConfig that is replaced; private in its typings only. */
interface Factory {
  createDispatcherOptions(cluster: unknown, tls: object): DispatcherOptions
  createDispatcher(cluster: unknown, tls: object): Dispatcher | undefined
}

/** A view of `kubeconfig`, which stays untouched, that keeps one pool until certificates or proxy change. */
function pooled(kubeconfig: KubeConfig, limits: Agent.Options) {
  const original = kubeconfig as unknown as Factory
  let pool: { readonly key: string; readonly dispatcher: Dispatcher } | undefined
  const createDispatcher: Factory['createDispatcher'] = (cluster, tls) => {
    const options = original.createDispatcherOptions(cluster, tls)
    const key = JSON.stringify(options)
    if (pool?.key === key) return pool.dispatcher
    // What is in flight on the old pool ends there; it closes behind the last one.
    pool?.dispatcher.close().catch(() => {})
    pool = { key, dispatcher: open(options, limits) ?? original.createDispatcher(cluster, tls) ?? new Agent(limits) }
    return pool.dispatcher
  }
  return {
    kubeconfig: Object.assign(Object.create(kubeconfig), { createDispatcher }) as KubeConfig,
    /** The next use opens another pool; what becomes of this one is the caller's. */
    leave: (): Dispatcher | undefined => {
      const left = pool?.dispatcher
      pool = undefined
      return left
    },
    destroy: async (): Promise<void> => pool?.dispatcher.destroy(),
  }
}

/** Our own pool where the way is direct; undefined for proxies, which client-node builds itself. */
function open(options: DispatcherOptions, limits: Agent.Options): Dispatcher | undefined {
  if (options.type !== 'agent' && options.type !== 'none') return undefined
  const tls = options.type === 'agent' ? options.connect : {}
  // Made anew for each connection it is most of a handshake's work, and memory that two dozen watches keep.
  const secureContext = createSecureContext(tls as SecureContextOptions)
  return new Agent({
    ...limits,
    keepAliveTimeout: 30_000,
    connect: { ...tls, secureContext, timeout: CONNECT_TIMEOUT_MS } as NonNullable<Agent.Options['connect']>,
  })
}
