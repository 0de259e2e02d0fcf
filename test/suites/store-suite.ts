/** The contract of the store seam, one test a promise. Every backend runs all of it. */

import { suiteOf } from '../support/requirements.ts'
import { type Promises, type StoreBackend, withStore } from './store-backend.ts'
import { BASICS } from './store-basics.ts'
import { HISTORY, RESTARTS } from './store-history.ts'
import { registerModel } from './store-model.ts'
import { WATCHES } from './store-watches.ts'

export type { StoreBackend } from './store-backend.ts'

function register(backend: StoreBackend, subject: string, promises: Promises): void {
  const test = suiteOf(`${backend.name}: ${subject}`, { needs: backend.needs ?? [] })
  for (const [title, check] of Object.entries(promises)) {
    test(title, () => withStore(backend, (store) => check(store, backend)).then(() => undefined))
  }
  test.run()
}

/** Registers the whole suite for a backend; the caller's file is the one to run. */
export function storeSuite(backend: StoreBackend): void {
  register(backend, 'reads and transactions', BASICS)
  register(backend, 'history', HISTORY)
  // What nothing outlives cannot be restarted: those promises are not made, rather than skipped.
  if (backend.reopen) register(backend, 'restarts', RESTARTS)
  register(backend, 'watches', WATCHES)
  registerModel(backend)
}
