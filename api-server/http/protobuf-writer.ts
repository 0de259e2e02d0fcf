/**
 * Just enough protobuf to write a message from plain JSON: a message is a table from property name to `Write`, which
 * turns the property's value into one or more encoded fields. Absent properties are not written, as in proto3.
 */

/** Encodes a property's value as the field (tag included) it was made for. */
export type Write = (value: unknown) => Buffer

/** The content of a message, without tag or length. */
export type Encode = (value: unknown) => Buffer

export type Fields = Readonly<Record<string, Write>>

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const NOTHING = Buffer.alloc(0)

/** Non-negative integers up to 2^64 - 1, seven bits a byte, lowest first. */
function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

const tag = (field: number, wire: number): Buffer => varint(BigInt(field * 8 + wire))

function delimited(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([tag(field, DELIMITED), varint(BigInt(bytes.length)), bytes])
}

export const text =
  (field: number): Write =>
  (value) =>
    delimited(field, Buffer.from(String(value)))

export const bool =
  (field: number): Write =>
  (value) =>
    Buffer.concat([tag(field, VARINT), varint(value === true ? 1n : 0n)])

/** Negative numbers are written as their 64-bit two's complement, fractions cut off. */
export const int64 =
  (field: number): Write =>
  (value) =>
    Buffer.concat([tag(field, VARINT), varint(BigInt.asUintN(64, BigInt(Math.trunc(Number(value)))))])

export const double =
  (field: number): Write =>
  (value) => {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(Number(value))
    return Buffer.concat([tag(field, FIXED64), bytes])
  }

/** A nested message. */
export const nested =
  (field: number, encode: Encode): Write =>
  (value) =>
    delimited(field, encode(value))

/** A repeated field; a single value counts as a list of one. */
export const repeated =
  (write: Write): Write =>
  (value) =>
    Buffer.concat((Array.isArray(value) ? value : [value]).map((item: unknown) => write(item)))

/** Encodes an object by its table; properties that the table does not know are left out. */
export const message =
  (fields: Fields): Encode =>
  (value) =>
    Buffer.concat(entriesOf(value).map(([name, content]) => own(fields, name)?.(content) ?? NOTHING))

/** A document may well have a property called `constructor`. */
const own = (fields: Fields, name: string): Write | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined

/** An object's properties that have a value, in their own order. */
export function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).filter(([, content]) => content !== undefined && content !== null)
}
