/** What a request to /v2/keys asks for, validated in etcd's order: the first fault wins, and the store is not asked. */
import { type Failure, failure } from './failure.ts'
import type { Form } from './form.ts'

export interface Parameters {
  readonly value: string
  /** Seconds. */
  readonly ttl: bigint | undefined
  readonly dir: boolean
  readonly prevExist: boolean | undefined
  readonly prevValue: string
  readonly prevIndex: bigint
  readonly refresh: boolean
  readonly noValueOnSuccess: boolean
  readonly recursive: boolean
  readonly sorted: boolean
  readonly quorum: boolean
  readonly wait: boolean
  readonly waitIndex: bigint
  readonly stream: boolean
}

const NONE: Parameters = {
  ...{ value: '', ttl: undefined, dir: false, prevExist: undefined, prevValue: '', prevIndex: 0n, refresh: false },
  ...{ noValueOnSuccess: false, recursive: false, sorted: false, quorum: false },
  ...{ wait: false, waitIndex: 0n, stream: false },
}

/** Thrown inside this file only: it keeps the order of the checks readable. */
class Invalid extends Error {
  readonly failure: Failure
  constructor(refused: Failure) {
    super(refused.cause)
    this.failure = refused
  }
}

export function parseParameters(form: Form, method: string): Parameters | Failure {
  if (form.size === 0) return NONE
  const value = form.get('value')
  if (form.size === 1 && value !== undefined) return { ...NONE, value }
  try {
    return validated(form, method)
  } catch (error) {
    if (error instanceof Invalid) return error.failure
    throw error
  }
}

function validated(form: Form, method: string): Parameters {
  const prevIndex = index(form, 'prevIndex')
  const waitIndex = index(form, 'waitIndex')
  const recursive = flag(form, 'recursive')
  const sorted = flag(form, 'sorted')
  const wait = flag(form, 'wait')
  const dir = flag(form, 'dir')
  const quorum = flag(form, 'quorum')
  const stream = flag(form, 'stream')
  if (wait && method !== 'GET') throw new Invalid(failure(209, '"wait" can only be used with GET requests'))
  const prevValue = form.get('prevValue')
  if (prevValue === '') throw new Invalid(failure(201, '"prevValue" cannot be empty'))
  const noValueOnSuccess = flag(form, 'noValueOnSuccess')
  const ttl = ttlOf(form)
  const prevExist = form.has('prevExist') ? flag(form, 'prevExist', 'prevExist') : undefined
  const refresh = flag(form, 'refresh', 'refresh')
  const value = form.get('value') ?? ''
  if (refresh && value !== '') throw new Invalid(failure(211, 'A value was provided on a refresh'))
  if (refresh && ttl === undefined) throw new Invalid(failure(212, 'No TTL value set'))
  return {
    ...{ value, ttl, dir, prevExist, prevValue: prevValue ?? '', prevIndex, refresh, noValueOnSuccess },
    ...{ recursive, sorted, quorum, wait, waitIndex, stream },
  }
}

const MAX_UINT64 = 2n ** 64n - 1n

function unsigned(text: string): bigint | undefined {
  if (!/^\d+$/.test(text)) return undefined
  // Twenty digits and no leading zeros at most: a million digits need no arithmetic to be too many.
  const digits = text.replace(/^0+(?=\d)/, '')
  if (digits.length > 20) return undefined
  const number = BigInt(digits)
  return number > MAX_UINT64 ? undefined : number
}

function index(form: Form, name: string): bigint {
  const text = form.get(name)
  const number = text === undefined ? 0n : unsigned(text)
  if (number === undefined) throw new Invalid(failure(203, `invalid value for "${name}"`))
  return number
}

function ttlOf(form: Form): bigint | undefined {
  const text = form.get('ttl')
  if (text === undefined || text === '') return undefined
  const number = unsigned(text)
  if (number === undefined) throw new Invalid(failure(202, 'invalid value for "ttl"'))
  return number
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** `shown`: two of the names are not quoted in etcd's sentence. */
function flag(form: Form, name: string, shown = `"${name}"`): boolean {
  const text = form.get(name)
  if (text === undefined || FALSE.has(text)) return false
  if (TRUE.has(text)) return true
  throw new Invalid(failure(209, `invalid value for ${shown}`))
}
