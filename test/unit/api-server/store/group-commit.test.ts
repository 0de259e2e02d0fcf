import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { groupCommit } from '../../../../api-server/store/group-commit.ts'
import { type Transaction, type TransactionResult, UnavailableError } from '../../../../api-server/store/store.ts'
import { failure, put } from '../../../suites/store-backend.ts'
import { until } from '../../../support/until.ts'

/** A disk that syncs when it is told to. */
function slowDisk() {
  const batches: string[][] = []
  const syncs: { resolve: () => void; reject: (error: Error) => void }[] = []
  async function commit(batch: readonly Transaction[]): Promise<readonly TransactionResult[]> {
    batches.push(batch.map(({ operations }) => operations[0]?.key ?? ''))
    await new Promise<void>((resolve, reject) => syncs.push({ resolve, reject }))
    return batch.map((_, i) => ({ ok: true, revision: BigInt(batches.length * 100 + i) }))
  }
  const begun = (count: number) => until(() => syncs.length === count, { what: `${count} batches to begin` })
  return { batches, syncs, begun, group: groupCommit(commit) }
}

const writing = (key: string): Transaction => ({ compare: [], operations: [put(key)] })

const test = suite('group commit')

test('what arrives while a write is in flight goes into the next one, in order', async () => {
  const { batches, syncs, begun, group } = slowDisk()
  const first = group.submit(writing('/a'))
  await begun(1)
  const rest = ['/b', '/c', '/d'].map((key) => group.submit(writing(key)))
  syncs[0]?.resolve()
  assert.is((await first).revision, 100n)
  await begun(2)
  assert.equal(batches, [['/a'], ['/b', '/c', '/d']])
  syncs[1]?.resolve()
  assert.equal(
    (await Promise.all(rest)).map(({ revision }) => revision),
    [200n, 201n, 202n],
  )
})

test('a failed write refuses all that were in it, and the next one goes on', async () => {
  const { syncs, begun, group } = slowDisk()
  const doomed = ['/a', '/b'].map((key) => failure(group.submit(writing(key))))
  await begun(1)
  const next = group.submit(writing('/c'))
  const broken = new UnavailableError('full')
  syncs[0]?.reject(broken)
  assert.equal(await Promise.all(doomed), [broken, broken])
  await begun(2)
  syncs[1]?.resolve()
  assert.is((await next).ok, true)
})

test('who gives up while waiting is answered at once and not written', async () => {
  const { batches, syncs, begun, group } = slowDisk()
  const first = group.submit(writing('/a'))
  await begun(1)
  const giveUp = new AbortController()
  const given = failure(group.submit(writing('/b'), giveUp.signal))
  const stayed = group.submit(writing('/c'), new AbortController().signal)
  giveUp.abort(new Error('too late'))
  assert.match(String(await given), 'too late')
  syncs[0]?.resolve()
  await first
  await begun(2)
  assert.equal(batches[1], ['/c'])
  syncs[1]?.resolve()
  await stayed
})

test('maintenance takes turns with writes', async () => {
  const { batches, syncs, begun, group } = slowDisk()
  const first = group.submit(writing('/a'))
  await begun(1)
  const second = group.submit(writing('/b'))
  const seenByStep = group.between(async () => batches.length)
  syncs[0]?.resolve()
  assert.is(await seenByStep, 1, 'the step runs before the second batch begins')
  await begun(2)
  syncs[1]?.resolve()
  await Promise.all([first, second])
})

test('a batch is bounded by its bytes', async () => {
  const { batches, syncs, begun, group } = slowDisk()
  const big = (key: string): Transaction => ({
    compare: [],
    operations: [{ do: 'put', key, value: new Uint8Array(5 * 1024 * 1024) }],
  })
  const writes = ['/a', '/b', '/c'].map((key) => group.submit(big(key)))
  for (let i = 0; i < 3; i++) {
    await begun(i + 1)
    syncs[i]?.resolve()
  }
  await Promise.all(writes)
  assert.equal(batches, [['/a'], ['/b'], ['/c']])
})

test('closing answers all that came before and refuses what comes after', async () => {
  const { syncs, begun, group } = slowDisk()
  const write = group.submit(writing('/a'))
  const closed = group.close()
  assert.instance(await failure(group.submit(writing('/b'))), UnavailableError)
  await begun(1)
  syncs[0]?.resolve()
  await closed
  assert.is((await write).ok, true)
})

test.run()
