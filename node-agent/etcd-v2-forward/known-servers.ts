/**
 * Which API servers there are: the kubeconfig's one, and those in EndpointSlice `default/flotilla`, which is asked for
 * now and then and kept on disk for a start without the server that the kubeconfig names.
 *
 * Asked, not watched: servers come and go about never, and a watch from every machine would be one more for each.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { ApiReader } from '../../controllers/lib/client.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { Runnable } from '../../controllers/lib/runnable.ts'
import { EndpointSlice } from '../../crds/core/endpoint-slice.ts'
import type { ServerAddress, ServerList } from './server-list.ts'

export interface KnownServersOptions {
  readonly client: Pick<ApiReader, 'get'>
  readonly dataDir: string
  /** Always among them, and asked first at the start. */
  readonly configured: ServerAddress
  readonly list: ServerList
  readonly log: Logger
  /** 30 000 unless given. */
  readonly askEveryMs?: number
}

/** The name in every server's certificate (D5). */
export const SERVER_NAME = 'flotilla'
const ASK_EVERY_MS = 30_000
const HTTPS_PORT = 6443

/** Keeps `list` current. A server that is away, or a slice that is not there, leaves it as it was. */
export function knownServers({ client, configured, list, log, dataDir, askEveryMs }: KnownServersOptions): Runnable {
  const file = join(dataDir, 'agent', 'servers.json')
  const start = async (signal: AbortSignal): Promise<void> => {
    let found = await read(file)
    list.replace([configured, ...found])
    do {
      try {
        const now = addressesOf(await client.get(EndpointSlice, SERVER_NAME, { namespace: 'default', signal }))
        if (isDeepStrictEqual(now, found)) continue
        found = now
        list.replace([configured, ...found])
        await write(file, found)
      } catch (error) {
        if (!signal.aborted) log.debug({ err: error }, 'the list of API servers was not renewed')
      }
    } while (await sleep(systemClock, askEveryMs ?? ASK_EVERY_MS, signal))
  }
  return { name: 'API servers', start }
}

/** Every address on the slice's first TCP port; those that are not ready come last. */
export function addressesOf({ endpoints, ports }: Pick<EndpointSlice, 'endpoints' | 'ports'>): ServerAddress[] {
  const port = ports?.find(({ protocol }) => (protocol ?? 'TCP') === 'TCP')?.port ?? HTTPS_PORT
  const isUnready = (endpoint: (typeof endpoints)[number]): number => Number(endpoint.conditions?.ready === false)
  return endpoints
    .toSorted((one, other) => isUnready(one) - isUnready(other))
    .flatMap(({ addresses }) => addresses.map((host) => ({ host, port, serverName: SERVER_NAME })))
}

/** Nothing where there is no list, or none that can be read: the configured server is known all the same. */
async function read(file: string): Promise<ServerAddress[]> {
  try {
    const found: unknown = JSON.parse(await readFile(file, 'utf8'))
    return Array.isArray(found) ? found.filter(isAddress) : []
  } catch {
    return []
  }
}

function isAddress(value: unknown): value is ServerAddress {
  const { host, port, serverName } = (value ?? {}) as Record<string, unknown>
  return typeof host === 'string' && Number.isInteger(port) && serverName === SERVER_NAME
}

async function write(file: string, servers: readonly ServerAddress[]): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, JSON.stringify(servers), { mode: 0o600 })
  await rename(`${file}.new`, file)
}
