/**
 * What may go through: the doors of the old clients and nothing else. The agent's certificate opens more of the API
 * server than a caller of this plain listener may see, so a path is judged as any server along the way could read it.
 */
import { posix } from 'node:path'

/** Of etcd's paths outside /v2; what else etcd serves there is about the process, not the keys. */
const PROBES: ReadonlySet<string> = new Set(['/version', '/health'])

/** The discovery service's: new tokens, and what members ask below one. Nothing in them needs decoding. */
const DISCOVERY = /^\/(?:new|[0-9a-f]{32}(?:\/\w+)*\/?)$/

/** True for a request target (path and query, as received) that belongs to etcd's v2 API. */
export function isForwarded(target: string): boolean {
  const [raw = ''] = target.split('?', 1)
  if (PROBES.has(raw) || DISCOVERY.test(raw)) return true
  if (!isBelowV2(raw)) return false
  const decoded = decode(raw)
  // Sent elsewhere by some servers: a path that leads out of /v2 once it is decoded or cleaned.
  return decoded === undefined || isBelowV2(posix.normalize(decoded))
}

function isBelowV2(path: string): boolean {
  return path === '/v2' || path.startsWith('/v2/')
}

/** Undefined for what is no escape; the server says so in etcd's words. */
function decode(raw: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(raw)) return undefined
  return raw.replace(/%[0-9a-fA-F]{2}/g, (hex) => String.fromCharCode(Number.parseInt(hex.slice(1), 16)))
}
