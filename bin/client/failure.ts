/** Errors in words for a terminal, in kubectl's form where the server spoke. */
import { ApiError } from '../../controllers/lib/api-error.ts'
import { UnreachableError } from './unreachable.ts'

interface Cause {
  readonly field?: string
  readonly message?: string
}
interface StatusLike {
  readonly details?: { readonly name?: string; readonly kind?: string; readonly causes?: readonly Cause[] }
}

/** One line, or several where the server gave a list. */
export function describeFailure(error: unknown): string {
  if (error instanceof ApiError) return describeRefusal(error)
  if (error instanceof UnreachableError) return error.message
  return `error: ${error instanceof Error ? error.message : String(error)}`
}

function describeRefusal(error: ApiError): string {
  if (error.code === 401)
    return 'error: the server does not know this kubeconfig (Unauthorized); take the one from its data directory'
  const { details } = (error.status ?? {}) as StatusLike
  const causes = details?.causes ?? []
  if (error.reason === 'Invalid' && details?.kind && causes.length > 0) {
    const lines = causes.map(({ field, message }) => `* ${field ? `${field}: ` : ''}${message ?? ''}`)
    return [`The ${details.kind} "${details.name ?? ''}" is invalid:`, ...lines].join('\n')
  }
  return `Error from server${error.reason ? ` (${error.reason})` : ''}: ${error.message}`
}
