/** How long a store takes to open again whose process was killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { openPlace } from './place.ts'

const KEYS_A_TRANSACTION = 100
const VALUE = Buffer.alloc(1_000, 'x')

/** Writes so many keys of 1 KB in this process. */
export async function fill(place: string, keys: number): Promise<void> {
  const store = await openPlace(place)
  const put = (n: number) => ({ do: 'put' as const, key: `/many/${String(n).padStart(7, '0')}`, value: VALUE })
  const transaction = (from: number) =>
    store.txn({ compare: [], operations: Array.from({ length: KEYS_A_TRANSACTION }, (_, i) => put(from + i)) })
  for (let from = 0; from < keys; from += KEYS_A_TRANSACTION * 50)
    await Promise.all(Array.from({ length: 50 }, (_, i) => transaction(from + i * KEYS_A_TRANSACTION)))
  await store[Symbol.asyncDispose]()
}

/** Kills a victim that writes into the store, opens it, reads; returns how long that took. */
export async function reopenMs(program: string, place: string, keys: number): Promise<number> {
  const victim = spawn(process.execPath, [program, place, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(victim.stdout, 'data')
  victim.kill('SIGKILL')
  await once(victim, 'close')
  const begunMs = performance.now()
  const store = await openPlace(place)
  const { kv } = await store.get(`/many/${String(keys - 1).padStart(7, '0')}`)
  const tookMs = performance.now() - begunMs
  assert.equal(kv?.value, VALUE)
  assert.is((await store.list({ start: '/many/', end: '/many0' })).items.length, keys)
  await store[Symbol.asyncDispose]()
  return tookMs
}
