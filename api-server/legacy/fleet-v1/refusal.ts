/** What fleet's API refuses with: a status and a text, and the body that both make (spec: fleet HTTP API, errors). */
import { StatusError } from '../../registry/errors.ts'

/** Thrown by whatever serves a request; goes to the client as it is. An empty text is fleet's own for some statuses. */
export class Refusal extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export const refusalBody = ({ code, message }: Pick<Refusal, 'code' | 'message'>): string =>
  JSON.stringify({ error: { code, message } })

/** fleet knows no 422: what it cannot take is a bad request. Undefined: nobody foresaw it. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (!(error instanceof StatusError)) return undefined
  const { code, message = '', details } = error.status
  if (code !== 422) return new Refusal(code, message)
  return new Refusal(400, details?.causes?.[0]?.message ?? message)
}
