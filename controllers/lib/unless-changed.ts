import { isApiError } from './api-error.ts'

/**
 * Runs a write that is guarded by the version it was decided on. False when the object changed or went meanwhile: it is
 * looked at again in the next run. Anything else is thrown.
 */
export async function unlessChanged(write: () => Promise<void>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (isApiError(error, 404, 409)) return false
    throw error
  }
}
