/** etcd itself: one put a transaction, no compare, no head, no watch beside it; the gRPC client is the store's own. */
import { endpointAt } from '../../../api-server/store/etcd/endpoint.ts'
import type { RangeAnswer } from '../../../api-server/store/etcd/messages.ts'
import type { Contender } from './contender.ts'

const LIMITS = { timeoutMs: 10_000 }

export function openRawEtcd(url: string): Contender {
  const endpoint = endpointAt(url, {})
  const bytes = (text: string) => Buffer.from(text)
  const range = (request: object) => endpoint.call<RangeAnswer>('KV.Range', request, LIMITS)
  return {
    put: (key, value) => endpoint.call('KV.Txn', { success: [{ request_put: { key: bytes(key), value } }] }, LIMITS),
    get: (key) => range({ key: bytes(key) }),
    range: async (prefix) => (await range({ key: bytes(prefix), range_end: bytes(`${prefix}~`) })).kvs.length,
    revision: async () => BigInt((await range({ key: bytes('/') })).header?.revision ?? 0),
    async replay(after, events) {
      const stream = endpoint.watch()
      const request = { key: bytes('/'), range_end: bytes('0'), start_revision: String(after + 1n) }
      stream.write({ create_request: { ...request, prev_kv: true, fragment: true } })
      let seen = 0
      for await (const answer of stream) {
        seen += answer.events.length
        if (seen >= events) break
      }
      stream.on('error', () => undefined) // what it says of its end
      stream.cancel()
    },
    close: async () => endpoint.close(),
  }
}
