import { manyClientsSuite } from '../suites/many-clients.ts'

manyClientsSuite('many clients', { connections: 1_500, watches: 300 })
