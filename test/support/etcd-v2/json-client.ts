/** A small client of the etcd v2 API, as flanneld uses it: each call is one request, each answer the JSON as it came. */
import { within } from '../within.ts'

export interface EtcdV2Node {
  readonly key: string
  readonly value?: string
  readonly expiration?: string
  readonly ttl?: number
  readonly modifiedIndex: number
  readonly createdIndex: number
  readonly nodes?: readonly EtcdV2Node[]
}

/** An event, or what was refused. */
export interface EtcdV2Answer {
  readonly action?: string
  readonly node?: EtcdV2Node
  readonly errorCode?: number
  readonly cause?: string
  readonly index?: number
}

export type Form = Readonly<Record<string, string | number | boolean>>

export interface EtcdV2Client {
  get(key: string, query?: string): Promise<EtcdV2Answer>
  put(key: string, form: Form, query?: string): Promise<EtcdV2Answer>
  post(key: string, form: Form): Promise<EtcdV2Answer>
  remove(key: string, query?: string): Promise<EtcdV2Answer>
  /** The first event after an index. */
  watch(key: string, options: { readonly after: number; readonly recursive?: boolean }): Promise<EtcdV2Answer>
  /** X-Etcd-Index: that of the last event. */
  index(): Promise<number>
}

const TIMEOUT_MS = 8_000

export function etcdV2Client(url: string): EtcdV2Client {
  const ask = async (method: string, key: string, query = '', form?: Form): Promise<EtcdV2Answer> => {
    const body =
      form && new URLSearchParams(Object.entries(form).map(([name, value]): [string, string] => [name, `${value}`]))
    const init = { method, ...(body && { body }), signal: AbortSignal.timeout(TIMEOUT_MS) }
    const answer = await fetch(`${url}/v2/keys${key}?${query}`, init)
    return (await answer.json()) as EtcdV2Answer
  }
  return {
    get: (key, query) => ask('GET', key, query),
    put: (key, form, query) => ask('PUT', key, query, form),
    post: (key, form) => ask('POST', key, '', form),
    remove: (key, query) => ask('DELETE', key, query),
    watch: (key, { after, recursive = false }) =>
      within(
        TIMEOUT_MS,
        ask('GET', key, `wait=true&recursive=${recursive}&waitIndex=${after + 1}`),
        `a change of ${key}`,
      ),
    index: async () => {
      const answer = await fetch(`${url}/v2/keys/`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
      await answer.arrayBuffer()
      return Number(answer.headers.get('x-etcd-index'))
    },
  }
}
