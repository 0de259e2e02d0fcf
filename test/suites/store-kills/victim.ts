/**
 * The victim: many writers on one store, each telling on stdout, one line each, what the store has acknowledged. Run as a
 * process of its own, to be killed: `victim FOLDER|ETCD-URL ROUND`.
 */
import { writeSync } from 'node:fs'
import { operationsOf, WRITERS } from './marks.ts'
import { openPlace } from './place.ts'

const [place = '', round = '0'] = process.argv.slice(2)
const store = await openPlace(place)

/** Each transaction puts the same mark under several keys: all of them are there afterwards, or none. */
async function write(writer: number): Promise<never> {
  for (let n = 0; ; n++) {
    const { revision } = await store.txn({ compare: [], operations: operationsOf(writer, round, n) })
    // Written at once, by the process itself: what is still in a buffer when it is killed was not acknowledged.
    writeSync(1, `${writer} ${round}.${n} ${revision}\n`)
  }
}

/** Compaction goes on meanwhile: a kill may hit it, too. */
async function compact(): Promise<never> {
  for (;;) {
    await store.compact(store.revision - 50n)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

writeSync(1, 'open\n')
await Promise.all([compact(), ...Array.from({ length: WRITERS }, (_, writer) => write(writer))])
