// heavy, deadline: 2400 s
/** The long form of test/lab/exclusive.test.ts. */
import { exclusiveRoundsSuite } from '../suites/exclusive-rounds.ts'

const seed = Number(process.env.FLOTILLA_TEST_SEED ?? Date.now() % 1_000_000)
console.log(`seed ${seed} (FLOTILLA_TEST_SEED)`)

exclusiveRoundsSuite('exclusive units, long', { rounds: 200, freezes: 20, seed, leaseSeconds: 2 })
