// heavy, deadline: 120 s
/** An exclusive unit under faults, one round of each sort that matters; the long form is test/faults/exclusive.test.ts. */
import { exclusiveRoundsSuite } from '../suites/exclusive-rounds.ts'

exclusiveRoundsSuite('exclusive units', {
  rounds: [
    'cut both',
    'cut in',
    'agent stopped',
    'agent killed, then cut',
    'rebound by hand while cut off',
    'deleted and made anew while cut off',
    'not exclusive for a moment',
    'machine killed',
  ],
  freezes: 1,
  seed: 1,
  leaseSeconds: 2,
})
