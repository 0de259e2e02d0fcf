/** etcd's own refusals and the lack of an answer, as callers tell them apart. */

/** Codes of etcd's v2 API, as its error bodies carry them. */
export const CODE = {
  keyNotFound: 100,
  compareFailed: 101,
  notAFile: 102,
  alreadyExists: 105,
  watcherCleared: 400,
  eventIndexCleared: 401,
} as const

/** The server understood and said no. Codes of 300 and above but 401 are its troubles: see `UnavailableError`. */
export class KeysError extends Error {
  readonly code: number
  /** The store's index when it said so. */
  readonly index: number

  constructor({ errorCode, message, cause, index }: ErrorBody) {
    super(cause ? `${message} (${cause})` : message)
    this.name = 'KeysError'
    this.code = errorCode
    this.index = index
  }
}

export interface ErrorBody {
  readonly errorCode: number
  readonly message: string
  readonly cause?: string
  readonly index: number
}

/** Nobody answered, or a server that cannot serve now. A write may have been made all the same. */
export class UnavailableError extends Error {
  constructor(endpoint: string, why: string, cause?: unknown) {
    super(`${endpoint} ${why}`, { cause })
    this.name = 'UnavailableError'
  }
}

export function isKeysError(error: unknown, ...codes: readonly number[]): error is KeysError {
  return error instanceof KeysError && codes.includes(error.code)
}
