/** Headers from one connection to another (RFC 9110 §7.6.1): what is about a connection stays on it. */

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
])
/** Node has said "100 Continue" already by the time we have the request. */
const ANSWERED_HERE: ReadonlySet<string> = new Set(['expect'])
/** Who calls is told by our certificate; these would be taken for our word on it. */
const OURS_TO_SAY = /^(?:x-forwarded-|x-flotilla-|x-remote-|impersonate-|forwarded$)/

/** Flat `[name, value, …]`, as received; names keep their spelling. */
export type RawHeaders = readonly string[]

export function responseHeaders(raw: RawHeaders): string[] {
  const dropped = droppedBy(raw)
  return pairs(raw)
    .filter(([name]) => !dropped.has(name.toLowerCase()))
    .flat()
}

/** A name that comes twice keeps both values. */
export function requestHeaders(raw: RawHeaders): Record<string, string[]> {
  const dropped = droppedBy(raw)
  const headers: Record<string, string[]> = Object.create(null)
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase()
    if (dropped.has(lower) || ANSWERED_HERE.has(lower) || OURS_TO_SAY.test(lower)) continue
    headers[lower] = [...(headers[lower] ?? []), value]
  }
  return headers
}

/** The known ones, and those that Connection names. */
function droppedBy(raw: RawHeaders): ReadonlySet<string> {
  const named = pairs(raw)
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()))
  // A length is not about the connection, whoever says so: without it the next message would begin in this one's body.
  return new Set([...HOP_BY_HOP, ...named.filter((name) => name !== 'content-length' && name !== 'host')])
}

function pairs(raw: RawHeaders): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[at * 2] ?? '', raw[at * 2 + 1] ?? ''])
}
