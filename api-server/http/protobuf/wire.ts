/** Protobuf's wire format, read: the fields of a message, one after the other, with every length checked. */
import { badRequest } from '../../registry/errors.ts'

/** What a message may hold at most, all its parts together: more is no object but an attack. */
const MAX_FIELDS = 200_000
const MAX_DEPTH = 32

export type Raw = bigint | Uint8Array

/** Spent by every field that is read, so that nesting cannot multiply the work. */
export interface Budget {
  fields: number
  depth: number
}

export function newBudget(): Budget {
  return { fields: 0, depth: 0 }
}

export function malformed(why: string): Error {
  return badRequest(`protobuf parse error: ${why}`)
}

/** Calls `take` with each field's number and content: a varint as a bigint, anything delimited as bytes. Throws 400. */
export function readFields(bytes: Uint8Array, budget: Budget, take: (field: number, raw: Raw) => void): void {
  if (++budget.depth > MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH} levels`)
  const cursor: Cursor = { bytes, at: 0 }
  while (cursor.at < bytes.length) {
    if (++budget.fields > MAX_FIELDS) throw malformed(`more than ${MAX_FIELDS} fields`)
    const tag = varint(cursor)
    const field = Number(tag >> 3n)
    if (field === 0 || field > MAX_FIELD_NUMBER) throw malformed(`a field with the number ${field}`)
    const raw = content(cursor, Number(tag & 7n))
    if (raw !== undefined) take(field, raw)
  }
  budget.depth--
}

interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

const MAX_FIELD_NUMBER = 2 ** 29 - 1
const MAX_VARINT_BYTES = 10

function varint(cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; shift < MAX_VARINT_BYTES * 7; shift += 7n) {
    const byte = cursor.bytes[cursor.at++]
    if (byte === undefined) throw malformed('it ends inside a number')
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return BigInt.asUintN(64, value)
  }
  throw malformed('a number longer than 64 bits')
}

/** Undefined for fixed-width content, which none of our messages has: it is an unknown field and passed over. */
function content(cursor: Cursor, wire: number): Raw | undefined {
  switch (wire) {
    case 0:
      return varint(cursor)
    case 1:
      slice(cursor, 8)
      return undefined
    case 2:
      return slice(cursor, varint(cursor))
    case 5:
      slice(cursor, 4)
      return undefined
    default:
      throw malformed(`wire type ${wire}`)
  }
}

function slice(cursor: Cursor, length: bigint | number): Uint8Array {
  const left = cursor.bytes.length - cursor.at
  if (length > left) throw malformed(`it ends ${BigInt(length) - BigInt(left)} bytes too early`)
  const start = cursor.at
  cursor.at += Number(length)
  return cursor.bytes.subarray(start, cursor.at)
}
