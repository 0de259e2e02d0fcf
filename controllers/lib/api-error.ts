/** The server said no: a Kubernetes `Status`. Branch on `code` (404, 409, 410, 422, …) or `reason`. */
export class ApiError extends Error {
  readonly code: number
  /** NotFound, AlreadyExists, Conflict, Expired, Invalid, …; '' when the server gave none. */
  readonly reason: string
  /** The whole Status, or what came instead of one. */
  readonly status: unknown
  /** What the server asked us to wait before trying again (429, 503). */
  readonly retryAfterMs: number | undefined

  constructor(code: number, status: unknown, retryAfterMs?: number) {
    const { message, reason } = (isObject(status) ? status : {}) as { message?: unknown; reason?: unknown }
    super(typeof message === 'string' ? message : `HTTP ${code}`)
    this.name = 'ApiError'
    this.code = code
    this.reason = typeof reason === 'string' ? reason : ''
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

/** True for an answer with one of these codes (any code when none is named). */
export function isApiError(error: unknown, ...codes: readonly number[]): error is ApiError {
  return error instanceof ApiError && (codes.length === 0 || codes.includes(error.code))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
