/** Everything that is stored, rendered for who takes it away. */
import { snapshotBytes } from '../store/snapshot/file.ts'
import type { Store } from '../store/store.ts'

/** A backup as of now, block by block; begin to go through it at once. */
export async function backupBytes({
  store,
}: {
  readonly store: Pick<Store, 'everything'>
}): Promise<AsyncIterable<Buffer>> {
  return snapshotBytes(await store.everything())
}
