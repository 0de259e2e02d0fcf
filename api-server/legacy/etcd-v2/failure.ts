/** What /v2/keys refuses, and how it says so (etcd v2 error codes; spec: etcd's Documentation/v2/errorcode.md). */
import { quote } from './bytes.ts'

const MESSAGES = {
  100: 'Key not found',
  101: 'Compare failed',
  102: 'Not a file',
  104: 'Not a directory',
  105: 'Key already exists',
  107: 'Root is read only',
  108: 'Directory not empty',
  110: 'The request requires user authentication',
  201: 'PrevValue is Required in POST form',
  202: 'The given TTL in POST form is not a number',
  203: 'The given index in POST form is not a number',
  209: 'Invalid field',
  210: 'Invalid POST form',
  211: 'Value provided on refresh',
  212: 'A TTL must be provided on refresh',
  300: 'Raft Internal Error',
  401: 'The event in requested index is outdated and cleared',
} as const

export type Code = keyof typeof MESSAGES

const STATUS: Readonly<Partial<Record<Code, number>>> = {
  100: 404,
  101: 412,
  102: 403,
  105: 412,
  108: 403,
  110: 401,
  300: 500,
}

/** A refusal is a value: most are the ordinary outcome of a race that a client set up on purpose. */
export interface Failure {
  readonly code: Code
  /** A byte string; left out of the body when empty. */
  readonly cause: string
}

export function failure(code: Code, cause: string): Failure {
  return { code, cause }
}

export function isFailure(value: object): value is Failure {
  return 'code' in value
}

export function failureStatus({ code }: Failure): number {
  return STATUS[code] ?? 400
}

/** `index`: the store's index when it was refused, 0 where the store was not asked. */
export function failureBody({ code, cause }: Failure, index: number): string {
  const why = cause === '' ? '' : `"cause":${quote(cause)},`
  return `{"errorCode":${code},"message":"${MESSAGES[code]}",${why}"index":${index}}\n`
}
