/** SIGKILL under load, again and again, on one and the same store. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEmbeddedStore } from '../../api-server/store/embedded.ts'
import type { Event, Store } from '../../api-server/store/store.ts'
import { tempDir } from '../support/temp-dir.ts'
import { within } from '../support/within.ts'
import { MARKS, markKeys, WRITERS } from './store-marks.ts'

const ROUNDS = 50

/** Built once: 50 starts through a compiler would take longer than the rest of the test. Its folder finds lmdb. */
async function builtVictim(): Promise<string> {
  const outfile = join(import.meta.dirname, '../../node_modules/.cache/store-kill', `${process.pid}.mjs`)
  const entryPoints = [join(import.meta.dirname, 'store-writers.ts')]
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' })
  process.once('exit', () => rmSync(outfile, { force: true }))
  return outfile
}

interface Acknowledged {
  readonly mark: string
  readonly revision: bigint
}

/** Reads what the victim says until `enough` acknowledgements have come, kills it, and reads the rest of what it said. */
async function killedAfter(victim: ChildProcess, enough: number): Promise<string[]> {
  const ended = once(victim, 'close')
  let said = ''
  let lines = 0
  victim.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
    lines += chunk.split('\n').length - 1
    if (lines > enough) victim.kill('SIGKILL')
  })
  try {
    await within(10_000, ended, `the victim to write ${enough} times; it said: ${said.slice(-200)}`)
  } finally {
    victim.kill('SIGKILL')
  }
  // The last line may be cut off: then its acknowledgement has not been given.
  return said.slice(0, said.lastIndexOf('\n')).split('\n').slice(1)
}

/** The last that each writer was told. */
function lastOf(lines: readonly string[]): Map<number, Acknowledged> {
  const last = new Map<number, Acknowledged>()
  for (const line of lines) {
    const [writer = '', mark = '', revision = '0'] = line.split(' ')
    last.set(Number(writer), { mark, revision: BigInt(revision) })
  }
  return last
}

function orderOf(mark: string): number {
  const [round = 0, n = 0] = mark.split('.').map(Number)
  return round * 1e9 + n
}

async function marksOf(store: Store, writer: number): Promise<{ marks: string[]; revisions: bigint[] }> {
  const found = await Promise.all(markKeys(writer).map((key) => store.get(key)))
  return {
    marks: found.map(({ kv }) =>
      Buffer.from(kv?.value ?? [])
        .toString()
        .replace(/\.+$/, ''),
    ),
    revisions: found.map(({ kv }) => kv?.modified ?? 0n),
  }
}

async function checkWriter(store: Store, writer: number, acknowledged: Acknowledged | undefined): Promise<void> {
  const { marks, revisions } = await marksOf(store, writer)
  assert.is(new Set(marks).size, 1, `writer ${writer}: half a transaction: ${marks}`)
  assert.is(new Set(revisions).size, 1)
  if (acknowledged === undefined) return
  const [mark = '', revision = 0n] = [marks[0], revisions[0]]
  assert.ok(orderOf(mark) >= orderOf(acknowledged.mark), `writer ${writer}: ${acknowledged.mark} lost, found ${mark}`)
  assert.ok(revision >= acknowledged.revision)
}

/** The history that is left must be whole, too: each revision once, each with all its changes. */
async function checkHistory(store: Store, after: bigint): Promise<void> {
  const stop = new AbortController()
  const events: Event[] = []
  for await (const batch of store.watch({ start: '/', end: '0' }, { after, signal: stop.signal })) {
    events.push(...batch)
    if (batch.at(-1)?.kv.modified === store.revision) break
  }
  assert.is(events.length, Number(store.revision - after) * MARKS)
  for (const [i, { kv }] of events.entries()) assert.is(kv.modified, after + 1n + BigInt(Math.floor(i / MARKS)))
}

const test = suite('embedded store: kill -9')

test(`of ${ROUNDS} kills under ${WRITERS} writers no acknowledged write is lost and none is half there`, async () => {
  const dataDir = tempDir()
  const program = await builtVictim()
  let acknowledgements = 0
  for (let round = 0; round < ROUNDS; round++) {
    const victim = spawn(process.execPath, [program, dataDir, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = await killedAfter(victim, 40 + round * 20)
    acknowledgements += lines.length
    const last = lastOf(lines)
    const store = await openEmbeddedStore({ dataDir })
    try {
      for (let writer = 0; writer < WRITERS; writer++) await checkWriter(store, writer, last.get(writer))
      await checkHistory(store, store.revision - 10n)
    } finally {
      await store[Symbol.asyncDispose]()
    }
  }
  console.log(`${acknowledgements} acknowledged writes, ${ROUNDS} kills, none lost`)
})

test.run()
