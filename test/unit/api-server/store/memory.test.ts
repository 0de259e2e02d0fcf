import { openMemoryStore } from '../../../../api-server/store/memory.ts'
import { storeSuite } from '../../../suites/store-suite.ts'

storeSuite({ name: 'memory', open: async (options) => openMemoryStore(options), modelRuns: 150 })
