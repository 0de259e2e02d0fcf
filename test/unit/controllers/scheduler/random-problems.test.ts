/** The short form of test/integration/placement-problems.test.ts. */
import { placementProblemsSuite } from '../../../suites/placement-problems.ts'

placementProblemsSuite('random placement problems', { problems: 1_500, seed: 6 })
