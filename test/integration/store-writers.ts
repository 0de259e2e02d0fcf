/**
 * The victim of store-kill.test.ts: many writers on one store, each telling on stdout, one line each, what the store has
 * acknowledged. Run as a process of its own, to be killed.
 */
import { writeSync } from 'node:fs'
import { openEmbeddedStore } from '../../api-server/store/embedded.ts'
import { MARKS, markKeys, WRITERS } from './store-marks.ts'

const [dataDir = '', round = '0'] = process.argv.slice(2)
const store = await openEmbeddedStore({ dataDir })

/** Each transaction puts the same mark under several keys: all of them are there afterwards, or none. */
async function write(writer: number): Promise<never> {
  for (let n = 0; ; n++) {
    const mark = `${round}.${n}`
    const value = Buffer.from(mark.padEnd(500, '.'))
    const result = await store.txn({
      compare: [],
      operations: markKeys(writer).map((key) => ({ do: 'put', key, value })),
    })
    // Written at once, by the process itself: what is still in a buffer when it is killed was not acknowledged.
    writeSync(1, `${writer} ${mark} ${result.revision}\n`)
  }
}

/** Compaction goes on meanwhile: a kill may hit it, too. */
async function compact(): Promise<never> {
  for (;;) {
    await store.compact(store.revision - 50n)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

writeSync(1, `open ${MARKS}\n`)
await Promise.all([compact(), ...Array.from({ length: WRITERS }, (_, writer) => write(writer))])
