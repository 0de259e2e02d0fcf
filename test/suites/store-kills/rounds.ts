/** SIGKILL of the process that has the store open, under load, again and again on one and the same store. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import * as assert from 'uvu/assert'
import type { Event, Store } from '../../../api-server/store/store.ts'
import { within } from '../../support/within.ts'
import { isPointer, MARKS, markOf, markRange, orderOf, WRITERS } from './marks.ts'
import { openPlace } from './place.ts'

/** History of the last transactions, which must be whole. The victim compacts what is older than 50. */
const HISTORY = 10n
/** Later kills come later: nothing is to depend on how much was written. */
const ACKNOWLEDGED_AT_LEAST = 40

/** Built once: many starts through a compiler would take longer than the rest. Its folder finds lmdb. */
export async function builtVictim(): Promise<string> {
  const outfile = join(import.meta.dirname, '../../../node_modules/.cache/store-kill', `${process.pid}.mjs`)
  const entryPoints = [join(import.meta.dirname, 'victim.ts')]
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
    const [code] = await within(20_000, ended, `the victim to write ${enough} times`)
    assert.is(code, null, 'the victim ended by itself')
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

async function checkWriter(store: Store, writer: number, acknowledged: Acknowledged | undefined): Promise<void> {
  const { items } = await store.list(markRange(writer))
  const marks = items.map(markOf)
  if (items.length === 0) assert.is(acknowledged, undefined, `writer ${writer}: all is lost`)
  if (items.length === 0) return
  assert.is(items.length, MARKS + 1, `writer ${writer}: half a transaction: ${items.map(({ key }) => key)}`)
  assert.is(items.filter(isPointer).length, 1)
  assert.is(new Set(marks).size, 1, `writer ${writer}: half a transaction: ${marks}`)
  assert.is(new Set(items.map(({ modified }) => modified)).size, 1)
  if (acknowledged === undefined) return
  const [mark = '', revision = 0n] = [marks[0], items[0]?.modified]
  assert.ok(orderOf(mark) >= orderOf(acknowledged.mark), `writer ${writer}: ${acknowledged.mark} lost, found ${mark}`)
  assert.ok(revision >= acknowledged.revision)
}

/** The history that is left must be whole, too: each revision once, each with all its changes. */
async function checkHistory(store: Store): Promise<void> {
  const until = await store.readRevision()
  const byRevision = new Map<bigint, Event[]>()
  const stop = new AbortController()
  const range = { start: '/marks/', end: '/marks0' }
  for await (const batch of store.watch(range, { after: until - HISTORY, until, signal: stop.signal }))
    for (const event of batch) byRevision.set(event.kv.modified, [...(byRevision.get(event.kv.modified) ?? []), event])
  assert.is(byRevision.size, Number(HISTORY))
  for (const events of byRevision.values()) {
    const puts = events.filter(({ type }) => type === 'put')
    assert.is(puts.length, MARKS + 1)
    assert.is(new Set(puts.map(({ kv }) => markOf(kv))).size, 1)
  }
}

async function oneRound(program: string, place: string, round: number): Promise<number> {
  const victim = spawn(process.execPath, [program, place, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = await killedAfter(victim, ACKNOWLEDGED_AT_LEAST + (round % 50) * 20)
  const last = lastOf(lines)
  const store = await openPlace(place)
  try {
    for (let writer = 0; writer < WRITERS; writer++) await checkWriter(store, writer, last.get(writer))
    await checkHistory(store)
  } finally {
    await store[Symbol.asyncDispose]()
  }
  return lines.length
}

/** Returns what was done, in words. */
export async function killRounds(place: string, rounds: number): Promise<string> {
  const program = await builtVictim()
  let acknowledgements = 0
  for (let round = 0; round < rounds; round++) acknowledgements += await oneRound(program, place, round)
  return `${acknowledgements} acknowledged transactions of ${WRITERS} writers, ${rounds} kills, none lost`
}
