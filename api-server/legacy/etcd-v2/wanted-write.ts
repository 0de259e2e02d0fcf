/** Which write a request's method and parameters stand for. */
import type { Write } from './operations.ts'
import type { Parameters } from './parameters.ts'

export function writeOf(method: string, key: string, parameters: Parameters): Write {
  const { dir, recursive, value, refresh, prevValue, prevIndex } = parameters
  const expires = expiryOf(parameters.ttl)
  return { do: verbOf(method, parameters), key, dir, recursive, value, expires, refresh, prevValue, prevIndex }
}

function verbOf(method: string, { prevExist, prevValue, prevIndex }: Parameters): Write['do'] {
  if (method === 'POST') return 'create-in-order'
  const isConditional = prevValue !== '' || prevIndex > 0n
  if (method === 'DELETE') return isConditional ? 'delete-if' : 'delete'
  if (prevExist === false) return 'create'
  if (isConditional) return 'swap'
  return prevExist === true ? 'update' : 'set'
}

/** In etcd's arithmetic: nanoseconds in 64 bits, which run over after 292 years. Operations judge what comes of it. */
function expiryOf(ttl: bigint | undefined): number | undefined {
  if (ttl === undefined) return undefined
  const nowMs = Date.now()
  if (ttl < 1_000_000_000n) return nowMs + Number(ttl) * 1_000
  const at = BigInt(nowMs) * 1_000_000n + BigInt.asIntN(64, ttl * 1_000_000_000n)
  return Number(BigInt.asIntN(64, at) / 1_000_000n)
}
