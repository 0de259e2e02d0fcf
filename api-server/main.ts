/**
 * Assembles an API server: store, registry, identities, HTTP. `startApiServer` returns once the server answers;
 * nothing below it knows where the configuration came from.
 */

import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { startAnnouncing } from './announce.ts'
import { writeDurable } from './auth/durable-file.ts'
import { API_SERVER_USER, CONTROLLERS_USER } from './auth/identity.ts'
import { renderKubeconfig, writeKubeconfig } from './auth/kubeconfig.ts'
import { openPki, type Pki } from './auth/pki.ts'
import { createAgentProxy } from './http/agent-proxy.ts'
import { createApp } from './http/app.ts'
import { type AuditLog, type AuditOptions, openAuditLog } from './http/audit.ts'
import type { ControlPlane } from './http/control-plane.ts'
import type { LegacyDoor } from './http/legacy-door.ts'
import { createMetrics } from './http/metrics.ts'
import { type Family, Histogram } from './http/metrics-text.ts'
import { createPriority } from './http/priority.ts'
import type { Services } from './http/services.ts'
import type { Limits } from './http/tls-server.ts'
import { type LegacyDoorOptions, openLegacyDoors } from './legacy-doors.ts'
import { type Address, parseListen } from './listen-address.ts'
import type { Registry } from './registry/registry.ts'
import { type RunningRegistry, startRegistry, type Undo } from './running-registry.ts'
import { type OpenOptions, openStore } from './store/open.ts'
import { timedStore } from './timed-store.ts'

export interface ApiServerOptions extends LegacyDoorOptions {
  readonly dataDir: string
  /** `HOST:PORT`; port 0 takes any free one. */
  readonly listen: string
  /** Further addresses that get TLS listeners on the same port rules, for example the machines' underlay. */
  readonly alsoListen?: readonly string[]
  readonly store?: 'embedded' | 'etcd' | 'memory'
  /** Where the store `etcd` is. */
  readonly etcd?: OpenOptions['etcd']
  /** The etcd that runs beside this server, for its operators. */
  readonly controlPlane?: ControlPlane
  /** Host under which others reach this server: it is then announced to them, and they to it. */
  readonly advertise?: string
  /** Where writes are put on record; `false` for nowhere. Default: `audit.log` in the data folder. */
  readonly audit?: Partial<AuditOptions> | false
  /** How long clients may take; the defaults suit everybody but tests. */
  readonly limits?: Partial<Limits>
  readonly log: Logger
}

export interface ApiServer {
  /** `https://127.0.0.1:6443` */
  readonly url: string
  /** One for each of `alsoListen`. */
  readonly otherUrls: readonly string[]
  /** Where the etcd v2 API is served without TLS. */
  readonly etcdV2Url: string | undefined
  /** Where fleetctl finds its API without TLS: `http://127.0.0.1:49153` or `unix:///run/fleet.sock`. */
  readonly fleetV1Url: string | undefined
  /** What people should be told, in sentences. */
  readonly notices: readonly string[]
  readonly kubeconfigPath: string
  readonly pki: Pki
  readonly registry: Registry
  /** Resolves, if ever, with why this server can go on no more and must be started anew. */
  readonly failed: Promise<Error>
  /** Credentials of the controllers, as a kubeconfig's text. */
  controllersKubeconfig(): Promise<string>
  close(): Promise<void>
}

/** Rejects, with everything closed that was opened, when any part cannot be had. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const addresses = [options.listen, ...(options.alsoListen ?? [])].map(parseListen)
  const dataDir = resolve(options.dataDir)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const undo: Undo[] = []
  try {
    return await assemble({ ...options, dataDir }, addresses, undo)
  } catch (error) {
    await closeAll(undo)
    throw error
  }
}

/** What was opened last is closed first. */
async function closeAll(undo: Undo[]): Promise<void> {
  for (const close of undo.splice(0).toReversed()) await close()
}

async function assemble(options: ApiServerOptions, addresses: readonly Address[], undo: Undo[]): Promise<ApiServer> {
  const { dataDir, log } = options
  const opening = openPki(dataDir)
  opening.catch(() => undefined) // awaited below, once the store is known to be closed with the rest
  const opened = await openStore(options.store ?? 'embedded', {
    dataDir,
    log,
    ...(options.etcd && { etcd: options.etcd }),
  })
  undo.push(async () => opened[Symbol.asyncDispose]())
  const transactions = new Histogram('flotilla_store_transaction_duration_seconds', 'Until a write was durable.')
  const timing = transactions.sample()
  const store = timedStore(opened, (seconds) => timing.observe(seconds))
  const pki = await opening
  const running = await startRegistry(store, log, undo)
  const audit = await openAudit(options, undo)
  const services = servicesOf(running, audit, [transactions], options.controlPlane)
  const { doors, ...told } = await openLegacyDoors(options, { store, running, log }, undo)
  const { limits, advertise } = options
  const urls = await listenAll(addresses, { ...running, services, doors, pki, log, limits, advertise }, undo)
  const url = urls[0] ?? ''
  if (advertise !== undefined) undo.push(startAnnouncing(running.registry, advertise, url, log))
  undo.push(async () => running.closing())
  const kubeconfigPath = join(dataDir, 'kubeconfig')
  await writeFiles(dataDir, kubeconfigPath, { api: url, etcdV2: told.etcdV2Url, fleetV1: told.fleetV1Url }, pki)
  return {
    url,
    ...told,
    otherUrls: urls.slice(1),
    kubeconfigPath,
    pki,
    registry: running.registry,
    failed: running.failed,
    controllersKubeconfig: () => controllersKubeconfig(pki, url),
    close: () => closeAll(undo),
  }
}

async function openAudit({ audit = {}, dataDir, log }: ApiServerOptions, undo: Undo[]): Promise<AuditLog | undefined> {
  if (audit === false) return undefined
  const opened = await openAuditLog({ file: join(dataDir, 'audit.log'), ...audit }, log)
  undo.push(() => opened.close())
  return opened
}

function servicesOf(
  { registry, authorizer, checks: own }: RunningRegistry,
  audit: AuditLog | undefined,
  families: readonly Family[],
  controlPlane: ControlPlane | undefined,
): Services {
  const priority = createPriority(registry)
  const checks = controlPlane ? [...own, controlPlane.check] : own
  return { authorizer, priority, metrics: createMetrics(registry, priority, families), audit, checks, controlPlane }
}

interface Serving {
  readonly registry: Registry
  readonly services: Services
  readonly doors: readonly LegacyDoor[]
  readonly pki: Pki
  readonly log: Logger
  readonly limits?: Partial<Limits> | undefined
  readonly advertise?: string | undefined
}

/** The URLs, in the order of the addresses. */
async function listenAll(addresses: readonly Address[], serving: Serving, undo: Undo[]): Promise<string[]> {
  const { registry, services, doors, pki, log, limits, advertise } = serving
  const hosts = [...addresses.map(({ host }) => host), ...(advertise === undefined ? [] : [advertise])]
  const server = await pki.serverCredentials(certificateNames(hosts))
  const client = await pki.storedClient('api-server', { commonName: API_SERVER_USER })
  const tls = { ...server, ca: pki.caCertificate }
  const proxy = createAgentProxy(registry, client, pki.caCertificate)
  const urls: string[] = []
  for (const { host, port } of addresses) {
    const app = createApp({ registry, services, doors, tls, proxy, log, ...(limits && { limits }) })
    undo.push(() => app.close())
    await app.listen({ host, port })
    urls.push(urlOf(host, app.server.address()))
  }
  return urls
}

async function controllersKubeconfig(pki: Pki, server: string): Promise<string> {
  const { certificate, key } = await pki.storedClient('controllers', { commonName: CONTROLLERS_USER })
  return renderKubeconfig({ server, caCertificate: pki.caCertificate, certificate, key, user: CONTROLLERS_USER })
}

interface Endpoints {
  readonly api: string
  /** Left out of the file where there is none. */
  readonly etcdV2: string | undefined
  readonly fleetV1: string | undefined
}

async function writeFiles(dataDir: string, kubeconfigPath: string, endpoints: Endpoints, pki: Pki): Promise<void> {
  const { certificate, key } = await pki.adminCredentials()
  await writeKubeconfig(kubeconfigPath, {
    server: endpoints.api,
    caCertificate: pki.caCertificate,
    certificate,
    key,
    user: 'admin',
  })
  await writeDurable(join(dataDir, 'endpoints.json'), `${JSON.stringify(endpoints, null, 2)}\n`, 0o644)
}

function certificateNames(hosts: readonly string[]): string[] {
  const any = new Set(['0.0.0.0', '::'])
  return ['localhost', '127.0.0.1', hostname(), 'flotilla', ...hosts.filter((host) => !any.has(host))]
}

function urlOf(host: string, address: string | { port: number } | null): string {
  const port = typeof address === 'object' ? address?.port : undefined
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `https://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}
