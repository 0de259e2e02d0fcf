import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEmbeddedStore } from '../../../../api-server/store/embedded.ts'
import { compactionTarget } from '../../../../api-server/store/history-policy.ts'
import { CompactedError } from '../../../../api-server/store/store.ts'
import { ALL, failure, put, remove, write } from '../../../suites/store-backend.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const MINUTE_MS = 60_000
const policy = { historyMaxChanges: 1_000, historyMaxAgeMs: 5 * MINUTE_MS }

/** Minutes ago → the revision that was the newest then. */
function target(revision: number, ago: Readonly<Record<number, number>>): number {
  const nowMs = 1_000 * MINUTE_MS
  const samples = Object.entries(ago)
    .map(([minutes, newest]) => ({ timeMs: nowMs - Number(minutes) * MINUTE_MS, revision: BigInt(newest) }))
    .sort((a, b) => a.timeMs - b.timeMs)
  return Number(compactionTarget(policy, samples, { revision: BigInt(revision), nowMs }))
}

const test = suite('compaction')

test('few changes are kept although they are old', () => assert.is(target(900, { 30: 500 }), 0))

test('many changes are kept while they are young', () => assert.is(target(5_000, { 4: 100 }), 0))

test('what is old and beyond the kept number goes', () => assert.is(target(5_000, { 30: 3_000, 6: 3_500 }), 3_500))

test('the kept number stays although more is old', () => assert.is(target(5_000, { 30: 3_000, 6: 4_900 }), 4_000))

test('nothing outlives an hour', () => assert.is(target(900, { 61: 700, 30: 800 }), 700))

test('a storm of writes cannot fill the disk with young history', () => assert.is(target(50_000, { 1: 10 }), 40_000))

test('a store without samples keeps all', () => assert.is(target(900, {}), 0))

test('history goes by itself with age, and the age survives a restart', async () => {
  const dataDir = tempDir()
  let nowMs = 0
  const options = { dataDir, historyMaxChanges: 10, historyMaxAgeMs: MINUTE_MS, now: () => nowMs }
  const first = await openEmbeddedStore(options)
  for (let i = 0; i < 50; i++) await write(first, put('/a', String(i)))
  nowMs = MINUTE_MS
  await first.tidy()
  await write(first, remove('/a'), put('/b'))
  await first.tidy()
  assert.is((await first.get('/a', { at: 1n })).kv?.modified, 1n)
  await first[Symbol.asyncDispose]()

  const second = await openEmbeddedStore(options)
  nowMs = 2 * MINUTE_MS
  await second.tidy()
  assert.instance(await failure(second.get('/a', { at: 40n })), CompactedError)
  assert.is((await second.get('/a', { at: 41n })).kv?.modified, 41n)
  assert.equal(
    (await second.list(ALL)).items.map(({ key }) => key),
    ['/b'],
  )
  await second[Symbol.asyncDispose]()
})

test.run()
