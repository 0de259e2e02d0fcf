/**
 * Messages as tables: field number → what becomes of it in JSON. Go writes empty strings, zeros and empty messages for
 * what was never set, so those count as absent, except where the field is a pointer in Go: the `optional…` ones.
 */
import { define } from '../../registry/patch/merge.ts'
import { type Budget, malformed, type Raw, readFields } from './wire.ts'

export type Json = Record<string, unknown>

/** Puts one occurrence of a field into the object that is being made. */
export type Field = (target: Json, raw: Raw, budget: Budget) => void

export type Message = Readonly<Record<number, Field>>

/** Unknown fields are passed over, as everywhere in protobuf. Throws 400 for what is no message of this form. */
export function decodeMessage(message: Message, raw: Raw, budget: Budget): Json {
  const target: Json = {}
  readFields(bytesOf(raw), budget, (number, content) => message[number]?.(target, content, budget))
  return target
}

function bytesOf(raw: Raw): Uint8Array {
  if (typeof raw === 'bigint') throw malformed('a number where a message or text belongs')
  return raw
}

function numberOf(raw: Raw): bigint {
  if (typeof raw !== 'bigint') throw malformed('a message or text where a number belongs')
  return raw
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(raw: Raw): string {
  const bytes = bytesOf(raw)
  try {
    return UTF8.decode(bytes)
  } catch {
    throw malformed('text that is not UTF-8')
  }
}

function integerOf(raw: Raw): number {
  return Number(BigInt.asIntN(64, numberOf(raw)))
}

type Value = (raw: Raw, budget: Budget) => unknown

const set =
  (name: string, value: Value, isAbsent: (value: unknown) => boolean): Field =>
  (target, raw, budget) => {
    const found = value(raw, budget)
    if (isAbsent(found)) delete target[name]
    else target[name] = found
  }

const never = () => false

export const text = (name: string): Field => set(name, textOf, (value) => value === '')
export const optionalText = (name: string): Field => set(name, textOf, never)
export const integer = (name: string): Field => set(name, integerOf, (value) => value === 0)
export const optionalInteger = (name: string): Field => set(name, integerOf, never)
export const bool = (name: string): Field =>
  set(
    name,
    (raw) => numberOf(raw) !== 0n,
    (value) => value === false,
  )
export const optionalBool = (name: string): Field => set(name, (raw) => numberOf(raw) !== 0n, never)

const isEmpty = (value: unknown) => Object.keys(value as Json).length === 0

/** The table is asked for when it is needed, so that messages may contain each other. */
const inner =
  (message: Message): Value =>
  (raw, budget) =>
    decodeMessage(message, raw, budget)

export const nested = (name: string, message: Message): Field => set(name, inner(message), isEmpty)
export const optionalNested = (name: string, message: Message): Field => set(name, inner(message), never)

const append =
  (name: string, value: Value): Field =>
  (target, raw, budget) => {
    const list = target[name]
    const found = value(raw, budget)
    if (Array.isArray(list)) list.push(found)
    else target[name] = [found]
  }

/** Elements stay as they are: in a rule, the empty API group is the core group. */
export const texts = (name: string): Field => append(name, textOf)
export const list = (name: string, message: Message): Field => append(name, inner(message))

/** A map is a repeated message of key (1) and value (2). */
const map =
  (name: string, value: Value, otherwise: unknown): Field =>
  (target, raw, budget) => {
    let key = ''
    let found = otherwise
    readFields(bytesOf(raw), budget, (number, content) => {
      if (number === 1) key = textOf(content)
      else if (number === 2) found = value(content, budget)
    })
    target[name] ??= {}
    define(target[name] as Json, key, found)
  }

export const textMap = (name: string): Field => map(name, textOf, '')
export const bytesMap = (name: string): Field => map(name, (raw) => Buffer.from(bytesOf(raw)).toString('base64'), '')

const TIME: Message = { 1: integer('seconds'), 2: integer('nanoseconds') }
/** Of what a JavaScript date can hold. */
const MAX_SECONDS = 8.64e12

/** RFC 3339, to the second; the zero time, which Go writes for "never", is absent. */
export const time = (name: string): Field =>
  set(
    name,
    (raw, budget) => {
      const { seconds = 0 } = decodeMessage(TIME, raw, budget) as { seconds?: number }
      if (Math.abs(seconds) > MAX_SECONDS) throw malformed('a time out of range')
      return seconds === 0 ? undefined : `${new Date(seconds * 1000).toISOString().slice(0, -5)}Z`
    },
    (value) => value === undefined,
  )

const INT_OR_STRING: Message = { 1: integer('type'), 2: integer('number'), 3: text('text') }

function intOrStringOf(raw: Raw, budget: Budget): string | number {
  const {
    type = 0,
    number = 0,
    text: words = '',
  } = decodeMessage(INT_OR_STRING, raw, budget) as {
    type?: number
    number?: number
    text?: string
  }
  return type === 1 ? words : number
}

export const intOrString = (name: string): Field => set(name, intOrStringOf, (value) => value === 0 || value === '')
export const optionalIntOrString = (name: string): Field => set(name, intOrStringOf, never)
