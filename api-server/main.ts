/**
 * Assembles an API server: store, registry, identities, HTTP. `startApiServer` returns once the server answers;
 * nothing below it knows where the configuration came from.
 */

import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { KINDS } from '../crds/index.ts'
import { writeDurable } from './auth/durable-file.ts'
import { API_SERVER_USER, CONTROLLERS_USER } from './auth/identity.ts'
import { renderKubeconfig, writeKubeconfig } from './auth/kubeconfig.ts'
import { openPki, type Pki } from './auth/pki.ts'
import type { Authorizer } from './auth/rbac/authorizer.ts'
import { createAgentProxy } from './http/agent-proxy.ts'
import { createApp } from './http/app.ts'
import { startRbac } from './rbac/index.ts'
import { Feed } from './registry/feed.ts'
import { ensureNamespaces } from './registry/namespaces.ts'
import { Registry } from './registry/registry.ts'
import { sweep } from './registry/sweep.ts'
import { openStore } from './store/open.ts'
import type { Store } from './store/store.ts'

export interface ApiServerOptions {
  readonly dataDir: string
  /** `HOST:PORT`; port 0 takes any free one. */
  readonly listen: string
  /** Further addresses that get TLS listeners on the same port rules, for example the machines' underlay. */
  readonly alsoListen?: readonly string[]
  readonly store?: 'embedded' | 'memory'
  readonly log: Logger
}

export interface ApiServer {
  /** `https://127.0.0.1:6443` */
  readonly url: string
  /** One for each of `alsoListen`. */
  readonly otherUrls: readonly string[]
  readonly kubeconfigPath: string
  readonly pki: Pki
  readonly registry: Registry
  /** Credentials of the controllers, as a kubeconfig's text. */
  controllersKubeconfig(): Promise<string>
  close(): Promise<void>
}

const SWEEP_EVERY_MS = 2_000

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const dataDir = resolve(options.dataDir)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const { log } = options
  const [store, pki] = await Promise.all([openStore(options.store ?? 'embedded', { dataDir, log }), openPki(dataDir)])
  const running = await startRegistry(store, log)
  const fronts = await listenAll(options, running, pki)
  const url = fronts[0]?.url ?? ''
  const kubeconfigPath = join(dataDir, 'kubeconfig')
  await writeFiles(dataDir, kubeconfigPath, url, pki)
  return {
    url,
    otherUrls: fronts.slice(1).map((front) => front.url),
    kubeconfigPath,
    pki,
    registry: running.registry,
    controllersKubeconfig: () => controllersKubeconfig(pki, url),
    close: async () => {
      await Promise.all(fronts.map(({ app }) => app.close()))
      await running.close()
      await store[Symbol.asyncDispose]()
    },
  }
}

interface RunningRegistry {
  readonly registry: Registry
  readonly authorizer: Authorizer
  /** Why the server may not be relied on any more. */
  readonly failing: () => string | undefined
  close(): Promise<void>
}

async function startRegistry(store: Store, log: Logger): Promise<RunningRegistry> {
  const feed = new Feed(store, KINDS, log)
  const registry = new Registry(store, feed)
  const stop = new AbortController()
  let failing: string | undefined
  await feed.load()
  const following = feed.run(stop.signal).catch((error: unknown) => {
    failing = 'the store watch ended'
    log.fatal({ err: error }, 'the store watch ended; restart the server')
  })
  await ensureNamespaces(registry)
  const rbac = await startRbac(registry, log, stop.signal)
  const sweeping = sweepForever(registry, log, stop.signal)
  return {
    registry,
    authorizer: rbac.authorizer,
    failing: () => failing,
    close: async () => {
      stop.abort()
      await Promise.all([following, sweeping, rbac.ended])
    },
  }
}

interface Front {
  readonly app: FastifyInstance
  readonly url: string
}

async function listenAll(
  { listen, alsoListen = [], log }: ApiServerOptions,
  { registry, authorizer, failing }: RunningRegistry,
  pki: Pki,
): Promise<Front[]> {
  const addresses = [listen, ...alsoListen].map(parseListen)
  const server = await pki.serverCredentials(certificateNames(addresses.map(({ host }) => host)))
  const client = await pki.storedClient('api-server', { commonName: API_SERVER_USER })
  const tls = { ...server, ca: pki.caCertificate }
  const proxy = createAgentProxy(registry, client, pki.caCertificate)
  return Promise.all(
    addresses.map(async ({ host, port }) => {
      const app = createApp({ registry, authorizer, kinds: KINDS, tls, proxy, log, ready: failing })
      await app.listen({ host, port })
      return { app, url: urlOf(host, app.server.address()) }
    }),
  )
}

async function controllersKubeconfig(pki: Pki, server: string): Promise<string> {
  const { certificate, key } = await pki.storedClient('controllers', { commonName: CONTROLLERS_USER })
  return renderKubeconfig({ server, caCertificate: pki.caCertificate, certificate, key, user: CONTROLLERS_USER })
}

async function writeFiles(dataDir: string, kubeconfigPath: string, url: string, pki: Pki): Promise<void> {
  const { certificate, key } = await pki.adminCredentials()
  await writeKubeconfig(kubeconfigPath, {
    server: url,
    caCertificate: pki.caCertificate,
    certificate,
    key,
    user: 'admin',
  })
  await writeDurable(join(dataDir, 'endpoints.json'), `${JSON.stringify({ api: url }, null, 2)}\n`, 0o644)
}

async function sweepForever(registry: Registry, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweep(registry, log)
    await delay(SWEEP_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

function certificateNames(hosts: readonly string[]): string[] {
  const any = new Set(['0.0.0.0', '::'])
  return ['localhost', '127.0.0.1', hostname(), 'flotilla', ...hosts.filter((host) => !any.has(host))]
}

/** `127.0.0.1:6443`, `[::1]:6443`, `localhost:0`. Throws a sentence that shows the form. */
export function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(listen)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || port > 65_535)
    throw new Error(`cannot listen on "${listen}": give HOST:PORT, for example 127.0.0.1:6443`)
  return { host, port }
}

function urlOf(host: string, address: string | { port: number } | null): string {
  const port = typeof address === 'object' ? address?.port : undefined
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `https://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}
