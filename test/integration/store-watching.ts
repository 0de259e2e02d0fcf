/** A watcher in the background, for the tests of the etcd store. */
import type { Event, Revision, Store } from '../../api-server/store/store.ts'
import { ALL } from '../suites/store-backend.ts'

/** All that a watcher is told, in the order of the telling. */
export function watching(store: Store, after: Revision) {
  const stop = new AbortController()
  const seen: Event[] = []
  const run = async () => {
    for await (const batch of store.watch(ALL, { after, signal: stop.signal })) seen.push(...batch)
  }
  const ended = run()
  ended.catch(() => undefined) // told to whoever stops it
  return {
    seen,
    /** Rejects with what ended it. */
    ended,
    async stop() {
      stop.abort()
      await ended
    },
  }
}
