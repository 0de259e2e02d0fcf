/** What the store refuses, as the Status that a client gets. */
import { InvalidTransactionError, UnavailableError } from '../store/store.ts'
import { badRequest, type StatusError, unavailable } from './errors.ts'

/** Undefined for everything that is not the store's word. */
export function storeRefusal(error: unknown): StatusError | undefined {
  if (error instanceof UnavailableError) return unavailable(`the store does not take writes now: ${error.message}`)
  return error instanceof InvalidTransactionError ? badRequest(error.message) : undefined
}
