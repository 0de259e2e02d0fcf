/** A store whose transactions are timed; everything else goes straight through. */
import type { Store } from './store/store.ts'

export function timedStore(store: Store, observe: (seconds: number) => void): Store {
  return {
    get revision() {
      return store.revision
    },
    get: (key, options) => store.get(key, options),
    list: (range, options) => store.list(range, options),
    readRevision: (options) => store.readRevision(options),
    watch: (range, options) => store.watch(range, options),
    compact: (before, options) => store.compact(before, options),
    everything: (options) => store.everything(options),
    snapshot: (file, options) => store.snapshot(file, options),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    txn: async (transaction, options) => {
      const startedMs = performance.now()
      const result = await store.txn(transaction, options)
      observe((performance.now() - startedMs) / 1_000)
      return result
    },
  }
}
