// deadline: 300 s
/** Joins that are killed again and again, at moments spread over the whole way. */
import { interruptedJoins } from '../suites/interrupted-joins.ts'
import { startFirst } from '../support/own-etcd.ts'
import { suiteOf } from '../support/requirements.ts'

const SEEDS = [1, 2, 3, 4, 5, 6, 8, 9]
const test = suiteOf('own etcd: interrupted joins', { needs: ['etcd'] })

for (const seed of SEEDS)
  test(`a join killed six times finishes (seed ${seed})`, async () => {
    await using first = await startFirst()
    await interruptedJoins(first, { kills: 6, seed })
  })

test.run()
