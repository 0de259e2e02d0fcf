import { openEmbeddedStore } from '../../../../api-server/store/embedded.ts'
import type { Store } from '../../../../api-server/store/store.ts'
import { storeSuite } from '../../../suites/store-suite.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const folders = new WeakMap<Store, string>()

async function openIn(dataDir: string, options = {}): Promise<Store> {
  const store = await openEmbeddedStore({ dataDir, ...options })
  folders.set(store, dataDir)
  return store
}

storeSuite({
  name: 'embedded',
  open: (options) => openIn(tempDir(), options),
  async reopen(store) {
    await store[Symbol.asyncDispose]()
    const folder = folders.get(store)
    if (folder === undefined) throw new Error('not a store of this file')
    return openIn(folder)
  },
  modelRuns: 100,
})
