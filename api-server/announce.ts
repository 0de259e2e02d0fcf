/**
 * Which API servers there are, told by themselves: each renews a Lease `flotilla-server-<id>` in kube-system and writes
 * the EndpointSlice from the Leases that it sees renewed. A server that dies is gone from it within DEAD_AFTER_MS and a
 * round; whoever notices first writes.
 *
 * A Lease counts by when this server last saw it change, on its own monotonic clock: clocks of servers may differ.
 */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Lease } from '../crds/index.ts'
import type { ApiObject, Kind } from '../crds/kind.ts'
import { objectOf } from './registry/entry.ts'
import type { Place, Registry } from './registry/registry.ts'
import { ignoreRace, isPublished, publish, type ServerAddress } from './server-slices.ts'

const KIND = Lease as Kind
const NAMESPACE = 'kube-system'
const PREFIX = 'flotilla-server-'
const RENEW_EVERY_MS = 3_000
const DEAD_AFTER_MS = 10_000
/** A Lease so old is of nobody who would come back under it soon. */
const FORGOTTEN_AFTER_MS = 60_000
const TAKE_BACK_MS = 1_500

/** When a Lease was last seen to change. */
interface Sight {
  readonly version: bigint
  readonly atMs: number
  readonly address: ServerAddress
}

type Sights = Map<string, Sight>

/** Announces the server at `url`, which others reach at `host`, until the returned function is called. */
export function startAnnouncing(registry: Registry, host: string, url: string, log: Logger): () => Promise<void> {
  const stop = new AbortController()
  const self = { host, port: Number(new URL(url).port || 443) }
  const announcing = announce(registry, self, log, stop.signal)
  return () => {
    stop.abort()
    return announcing
  }
}

/** Takes itself back in the end. Failures are met again by the next round. */
async function announce(registry: Registry, self: ServerAddress, log: Logger, signal: AbortSignal): Promise<void> {
  const text = textOf(self)
  const name = PREFIX + createHash('sha256').update(text).digest('hex').slice(0, 12)
  const sights: Sights = new Map()
  while (!signal.aborted) {
    await round(registry, name, text, sights).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ err: error }, 'API servers not announced, will retry')
    })
    await delay(RENEW_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
  sights.delete(name)
  const gone = registry
    .delete(placeOf(name))
    .then(() => publish(registry, living(sights)))
    .catch((err: unknown) => log.debug({ err }, 'this server stays announced until its Lease runs out'))
  // A store without a majority must not hold up the end.
  await Promise.race([gone, delay(TAKE_BACK_MS, undefined, { ref: false })])
}

async function round(registry: Registry, name: string, self: string, sights: Sights): Promise<void> {
  await renew(registry, name, self)
  look(registry, name, sights)
  await forget(registry, sights)
  await publish(registry, living(sights))
}

const placeOf = (name: string): Place => ({ kind: KIND, namespace: NAMESPACE, name })

async function renew(registry: Registry, name: string, holderIdentity: string): Promise<void> {
  const renewTime = `${new Date().toISOString().slice(0, -1)}000Z`
  const spec = { holderIdentity, leaseDurationSeconds: DEAD_AFTER_MS / 1000, renewTime }
  if (registry.find(placeOf(name)) === undefined) {
    const metadata = { name, namespace: NAMESPACE }
    const lease = { apiVersion: KIND.apiVersion, kind: KIND.kind, metadata, spec } as unknown as ApiObject
    await registry.create(KIND, NAMESPACE, lease).catch(ignoreRace)
  } else await registry.update(placeOf(name), (current) => ({ ...current, spec }) as ApiObject, undefined)
}

/** Notes what has changed since the last look. Ours counts at once; another one that nobody announces must move first. */
function look(registry: Registry, own: string, sights: Sights): void {
  const nowMs = performance.now()
  const entries = [...registry.feed.cache(KIND).entries.from('', `${NAMESPACE}/${PREFIX}`)]
  for (const entry of entries) {
    const { spec } = objectOf(entry) as { spec?: { holderIdentity?: string } }
    const address = addressOf(spec?.holderIdentity ?? '')
    const last = sights.get(entry.name)
    if (address === undefined || last?.version === entry.version) continue
    const counts = last !== undefined || entry.name === own || isPublished(registry, address)
    sights.set(entry.name, { version: entry.version, atMs: counts ? nowMs : nowMs - DEAD_AFTER_MS, address })
  }
  const names = new Set(entries.map(({ name }) => name))
  for (const name of sights.keys()) if (!names.has(name)) sights.delete(name)
}

function living(sights: Sights): ServerAddress[] {
  const since = performance.now() - DEAD_AFTER_MS
  return [...sights.values()].filter(({ atMs }) => atMs > since).map(({ address }) => address)
}

/** Deletes are guarded by the version that was seen to stand still. */
async function forget(registry: Registry, sights: Sights): Promise<void> {
  const before = performance.now() - FORGOTTEN_AFTER_MS
  for (const [name, { atMs, version }] of [...sights]) {
    if (atMs > before) continue
    const preconditions = { resourceVersion: String(version) }
    await registry.delete(placeOf(name), { preconditions }).catch(ignoreRace)
  }
}

function textOf({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function addressOf(text: string): ServerAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  return host === undefined ? undefined : { host, port: Number(match?.[3]) }
}
