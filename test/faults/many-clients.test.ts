// heavy, deadline: 300 s
import { manyClientsSuite } from '../suites/many-clients.ts'

manyClientsSuite('ten thousand clients', { connections: 10_000, watches: 2_000 })
