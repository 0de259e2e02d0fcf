/**
 * etcd's discovery protocol, the operator's half: a fresh folder in the key space, and how many members it waits for.
 * The members register below it (etcd documentation, "Discovery service protocol").
 */
import { randomBytes } from 'node:crypto'
import { parseEndpoints } from './endpoints.ts'
import { createKeysClient, pathOf } from './keys-client.ts'
import { UnavailableError } from './keys-error.ts'

export interface DiscoveryRequest {
  /** As typed. */
  readonly size: string
  /** With commas; the first that answers goes into the URL. */
  readonly endpoints: string
}

const REGISTRY = '/_etcd/registry'
const TIMEOUT_MS = 5_000
/** etcd advises against more than seven; nothing beyond this is meant. */
const MAX_SIZE = 1_000

/** The URL for `etcd --discovery`. Rejects with a sentence. */
export async function newDiscoveryUrl({ size, endpoints }: DiscoveryRequest): Promise<string> {
  if (!/^[1-9]\d{0,3}$/.test(size) || Number(size) > MAX_SIZE)
    throw new Error(`--size ${size}: give a whole number from 1 to ${MAX_SIZE}`)
  const folder = `${REGISTRY}/${randomBytes(16).toString('hex')}`
  const { signal } = new AbortController()
  let trouble: unknown
  for (const endpoint of parseEndpoints(endpoints)) {
    const keys = createKeysClient([endpoint])
    try {
      await keys.create(`${folder}/_config/size`, size, { signal, timeoutMs: TIMEOUT_MS })
      return `${endpoint.url}${pathOf(folder)}`
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      trouble = error
    } finally {
      await keys.close()
    }
  }
  throw trouble ?? new Error('--endpoint is empty: give for example http://10.0.0.1:4001')
}
