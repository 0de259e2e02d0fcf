/** The name under which a client manages fields. */
import { invalidOptions, type OptionsKind } from '../errors.ts'

const MAX_MANAGER_LENGTH = 128
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu
const UNKNOWN = 'unknown'

/** The name of whoever does not name itself: what stands before the slash of its User-Agent. */
export function managerOfUserAgent(userAgent: string | undefined): string {
  const name = (userAgent ?? '').split('/', 1)[0]?.replace(UNPRINTABLE, '') ?? ''
  return [...name].slice(0, MAX_MANAGER_LENGTH).join('') || UNKNOWN
}

/** Throws 422 for a name that nobody could read. */
export function checkManager(manager: string, options: OptionsKind): string {
  if (Buffer.byteLength(manager) > MAX_MANAGER_LENGTH)
    throw optionError(
      options,
      'fieldManager',
      'FieldValueTooLong',
      `Too long: may not be more than ${MAX_MANAGER_LENGTH} bytes`,
    )
  if (manager.search(UNPRINTABLE) >= 0)
    throw optionError(
      options,
      'fieldManager',
      'FieldValueInvalid',
      `Invalid value: ${JSON.stringify(manager)}: should only contain printable characters`,
    )
  return manager
}

/** A 422 about a parameter of the request. */
export function optionError(options: OptionsKind, field: string, reason: string, message: string) {
  return invalidOptions(options, { reason, message, field })
}
