/** The EndpointSlices that say where API servers are: `default/flotilla`, what agents balance over (design D5). */
import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { EndpointSlice } from '../crds/index.ts'
import type { ApiObject, Kind } from '../crds/kind.ts'
import { objectOf } from './registry/entry.ts'
import { StatusError } from './registry/errors.ts'
import type { Place, Registry } from './registry/registry.ts'

export interface ServerAddress {
  readonly host: string
  readonly port: number
}

interface SliceContent {
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly endpoints: readonly {
    readonly addresses: readonly string[]
    readonly conditions: { readonly ready: true }
  }[]
  readonly ports: readonly { readonly name: string; readonly protocol: 'TCP'; readonly port: number }[]
}

const KIND = EndpointSlice as Kind
const NAMESPACE = 'default'
const SERVICE = 'flotilla'
const LABELS = {
  'kubernetes.io/service-name': SERVICE,
  'endpointslice.kubernetes.io/managed-by': 'api-server.flotilla.dev',
}

/**
 * One slice has one port and one sort of addresses: most servers are in `flotilla`, any others in slices of their own,
 * under the same service name. Sorted, so that two servers that see the same write the same.
 */
export function slicesOf(servers: readonly ServerAddress[]): Map<string, SliceContent> {
  const groups = new Map<string, ServerAddress[]>()
  for (const server of servers) {
    const key = `${sortOf(server.host).toLowerCase()}-${server.port}`
    groups.set(key, [...(groups.get(key) ?? []), server])
  }
  const sorted = [...groups].toSorted(
    ([oneKey, one], [otherKey, other]) => other.length - one.length || (oneKey < otherKey ? -1 : 1),
  )
  return new Map(sorted.map(([key, some], at) => [at === 0 ? SERVICE : `${SERVICE}-${key}`, contentOf(some)]))
}

function contentOf(servers: readonly ServerAddress[]): SliceContent {
  const [first = { host: '', port: 0 }] = servers
  const hosts = [...new Set(servers.map(({ host }) => host))].toSorted()
  return {
    addressType: sortOf(first.host),
    endpoints: hosts.map((host) => ({ addresses: [host], conditions: { ready: true } })),
    ports: [{ name: 'https', protocol: 'TCP', port: first.port }],
  }
}

function sortOf(host: string): SliceContent['addressType'] {
  const version = isIP(host)
  return version === 0 ? 'FQDN' : version === 6 ? 'IPv6' : 'IPv4'
}

/** Whether the slices name `server` now. */
export function isPublished(registry: Registry, { host, port }: ServerAddress): boolean {
  return [...ours(registry).values()].some(
    ({ endpoints, ports }) =>
      ports.some((each) => each.port === port) && endpoints.some(({ addresses }) => addresses.includes(host)),
  )
}

/** Makes the slices say exactly `servers`. What another server has written meanwhile is met by the next call. */
export async function publish(registry: Registry, servers: readonly ServerAddress[]): Promise<void> {
  const wanted = slicesOf(servers)
  for (const [name, content] of wanted) await put(registry, name, content)
  for (const name of ours(registry).keys()) if (!wanted.has(name)) await drop(registry, name)
}

function ours(registry: Registry): Map<string, SliceContent> {
  const entries = [...registry.feed.cache(KIND).entries.from('', `${NAMESPACE}/${SERVICE}`)]
  const managed = entries.filter(({ labels }) =>
    Object.entries(LABELS).every(([key, value]) => labels?.[key] === value),
  )
  return new Map(managed.map((entry) => [entry.name, objectOf(entry) as unknown as SliceContent]))
}

const placeOf = (name: string): Place => ({ kind: KIND, namespace: NAMESPACE, name })

async function put(registry: Registry, name: string, content: SliceContent): Promise<void> {
  const place = placeOf(name)
  const entry = registry.find(place)
  const metadata = { name, namespace: NAMESPACE, labels: LABELS }
  const wanted = { apiVersion: KIND.apiVersion, kind: KIND.kind, metadata, ...content } as unknown as ApiObject
  if (entry === undefined) {
    await registry.create(KIND, NAMESPACE, wanted).catch(ignoreRace)
    return
  }
  const { addressType, endpoints, ports } = objectOf(entry) as unknown as SliceContent
  if (isDeepStrictEqual({ addressType, endpoints, ports }, content)) return
  // Its sort of addresses is for good: another one is another object.
  if (addressType !== content.addressType) await drop(registry, name)
  else {
    const labelled = (current: ApiObject) => ({
      ...current.metadata,
      labels: { ...current.metadata.labels, ...LABELS },
    })
    const change = (current: ApiObject) => ({ ...current, ...content, metadata: labelled(current) }) as ApiObject
    await registry.update(place, change, undefined).catch(ignoreRace)
  }
}

async function drop(registry: Registry, name: string): Promise<void> {
  await registry.delete(placeOf(name)).catch(ignoreRace)
}

/** Another server was faster. */
export function ignoreRace(error: unknown): void {
  if (!(error instanceof StatusError && [404, 409].includes(error.status.code))) throw error
}
