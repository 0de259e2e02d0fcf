/** Many objects, as copies of one that the server has made: only their names and uids differ. */
import { openEmbeddedStore } from '../../../api-server/store/embedded.ts'
import type { Operation } from '../../../api-server/store/store.ts'
import type { FillJob } from './job.ts'

const KEYS_A_TRANSACTION = 100
const TRANSACTIONS_AT_A_TIME = 20
const UID = /"uid":"([0-9a-f-]{24})[0-9a-f]{12}"/

export async function fillLike({ place, keys, like, name }: FillJob): Promise<void> {
  if (place.kind !== 'embedded') throw new Error('only the embedded store is filled')
  const store = await openEmbeddedStore({ dataDir: place.folder })
  const { kv } = await store.get(like)
  if (kv === undefined) throw new Error(`nothing is at ${like}`)
  const pattern = Buffer.from(kv.value).toString()
  const put = (number: number): Operation => {
    const other = name.replace(/\d{8}/, String(number + 1).padStart(8, '0'))
    const uid = number.toString(16).padStart(12, '0')
    const value = pattern.replaceAll(`"${name}"`, `"${other}"`).replace(UID, `"uid":"$1${uid}"`)
    return { do: 'put', key: like.replace(name, other), value: Buffer.from(value) }
  }
  for (let from = 0; from < keys; from += KEYS_A_TRANSACTION * TRANSACTIONS_AT_A_TIME) {
    const transactions = Array.from({ length: TRANSACTIONS_AT_A_TIME }, (_, i) => from + i * KEYS_A_TRANSACTION)
    const operations = (first: number) => Array.from({ length: KEYS_A_TRANSACTION }, (_, i) => put(first + i))
    await Promise.all(transactions.map((first) => store.txn({ compare: [], operations: operations(first) })))
  }
  await store[Symbol.asyncDispose]()
}
