/** Ten thousand problems of placement: too many for the tests that one runs all the time. */
import { placementProblemsSuite } from '../suites/placement-problems.ts'

placementProblemsSuite('ten thousand placement problems', { problems: 10_000, seed: 7 })
