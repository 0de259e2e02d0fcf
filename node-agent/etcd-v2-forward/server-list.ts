/**
 * The API servers in the order in which they are asked: the one that answered last first, those that failed just now
 * last. None is ever left out: a list of servers that all failed is all there is.
 */
import { type Clock, systemClock } from '../../controllers/lib/clock.ts'

export interface ServerAddress {
  readonly host: string
  readonly port: number
  /** The name its certificate carries, where that is not `host`. */
  readonly serverName?: string
}

export interface ServerList {
  /** What is there now, in order. A snapshot: at most `MAX_SERVERS`. */
  inOrder(): readonly ServerAddress[]
  /** The list as found; who answered or failed is kept for those that stay. */
  replace(servers: readonly ServerAddress[]): void
  answered(server: ServerAddress): void
  failed(server: ServerAddress): void
}

/** How long a server that failed comes after those that did not. */
const SHUNNED_MS = 5_000
const MAX_SERVERS = 16

export function createServerList(servers: readonly ServerAddress[], clock: Clock = systemClock): ServerList {
  let known = unique(servers)
  let preferred: string | undefined
  const failures = new Map<string, number>()
  const rank = (server: ServerAddress): number => {
    const key = keyOf(server)
    const isShunned = clock.monotonicMs() - (failures.get(key) ?? Number.NEGATIVE_INFINITY) < SHUNNED_MS
    if (isShunned) return 2
    return key === preferred ? 0 : 1
  }
  return {
    inOrder: () => known.toSorted((one, other) => rank(one) - rank(other)),
    replace: (found) => {
      known = unique(found)
      const kept = new Set(known.map(keyOf))
      for (const key of failures.keys()) if (!kept.has(key)) failures.delete(key)
    },
    answered: (server) => {
      preferred = keyOf(server)
      failures.delete(preferred)
    },
    failed: (server) => void failures.set(keyOf(server), clock.monotonicMs()),
  }
}

function keyOf({ host, port }: ServerAddress): string {
  return `${host} ${port}`
}

function unique(servers: readonly ServerAddress[]): ServerAddress[] {
  return [...new Map(servers.map((server) => [keyOf(server), server])).values()].slice(0, MAX_SERVERS)
}
