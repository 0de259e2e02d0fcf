/** CEL's strings extension and Kubernetes' regex library, over code points and on the linear engine. */
import type { Environment } from '@marcbachmann/cel-js'
import type { Meter } from '../../meter.ts'
import { compileRegex, type Regex } from '../../regex/index.ts'
import { ownName } from './names.ts'

const SYNC = { async: false }
/** Compiled expressions kept, as a rule usually matches many texts with one. */
const MAX_KEPT_REGEXES = 50
const MAX_RESULT_LENGTH = 4_000_000

export function registerText(environment: Environment, meter: Meter): void {
  const add = (signature: string, handler: (...args: never[]) => unknown) =>
    environment.registerFunction(signature, handler as (...args: unknown[]) => unknown, SYNC)
  add(`string.${ownName('lowerAscii')}(): string`, (text: string) =>
    text.replace(/[A-Z]+/g, (some) => some.toLowerCase()),
  )
  add(`string.${ownName('upperAscii')}(): string`, (text: string) =>
    text.replace(/[a-z]+/g, (some) => some.toUpperCase()),
  )
  add('string.charAt(int): string', charAt)
  add('string.reverse(): string', (text: string) => [...text].reverse().join(''))
  add('string.replace(string, string): string', (text: string, from: string, to: string) =>
    replace(text, from, to, -1n),
  )
  add('string.replace(string, string, int): string', replace)
  add(`list<string>.${ownName('join')}(): string`, (list: readonly string[]) => join(list, ''))
  add(`list<string>.${ownName('join')}(string): string`, join)
  registerRegex(add, regexes(meter))
}

type Add = (signature: string, handler: (...args: never[]) => unknown) => void

function registerRegex(add: Add, regex: (pattern: string) => Regex): void {
  const test = (text: string, pattern: string) => regex(pattern).test(text)
  add(`string.${ownName('matches')}(string): bool`, test)
  add(`${ownName('matches')}(string, string): bool`, test)
  add('string.find(string): string', (text: string, pattern: string) => regex(pattern).findAll(text, 1)[0] ?? '')
  add('string.findAll(string): list<string>', (text: string, pattern: string) =>
    regex(pattern).findAll(text, Number.POSITIVE_INFINITY),
  )
  add('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) =>
    regex(pattern).findAll(text, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit)),
  )
}

function regexes(meter: Meter): (pattern: string) => Regex {
  let kept = new Map<string, Regex>()
  return (pattern) => {
    const before = kept.get(pattern)
    if (before) return before
    meter.spend(pattern.length)
    const regex = compileRegex(pattern, meter)
    if (kept.size >= MAX_KEPT_REGEXES) kept = new Map()
    kept.set(pattern, regex)
    return regex
  }
}

function charAt(text: string, at: bigint): string {
  const points = [...text]
  if (at < 0n || at > points.length) throw new Error(`index out of range: ${at}`)
  return points[Number(at)] ?? ''
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  if (limit === 0n) return text
  const parts = text.split(from)
  const count = limit < 0n || limit >= parts.length ? parts.length - 1 : Number(limit)
  assertShort(text.length + count * to.length)
  return [parts.slice(0, count + 1).join(to), ...parts.slice(count + 1)].join(from)
}

function join(list: readonly string[], separator: string): string {
  assertShort(list.reduce((sum, one) => sum + one.length + separator.length, 0))
  return list.join(separator)
}

function assertShort(length: number): void {
  if (length > MAX_RESULT_LENGTH) throw new Error(`a string longer than ${MAX_RESULT_LENGTH} characters`)
}
