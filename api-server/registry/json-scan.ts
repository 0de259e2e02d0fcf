/**
 * What JSON.parse does not tell: fields that appear twice, and nesting so deep that recursive code would fall over.
 * One pass over the text, no objects made.
 */

export const MAX_DEPTH = 128
/** Each could be a mistake that is told by name; no object that means something has so many. */
export const MAX_VALUES = 50_000

export interface Scan {
  /** Paths such as `spec.ports[0].name`, in the order met. */
  readonly duplicates: readonly string[]
  readonly tooDeep: boolean
  /** More values than `MAX_VALUES`. */
  readonly tooMany: boolean
}

interface Level {
  readonly keys: Set<string> | undefined
  index: number
  key: string
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d

/** Of what is no JSON it says something, or throws a SyntaxError; JSON.parse is still to be asked. */
export function scanJson(text: string): Scan {
  const scanner = new Scanner(text)
  for (let at = 0; at < text.length && !scanner.tooDeep && !scanner.tooMany; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) at = scanner.string(at)
    else if (character === COMMA) scanner.comma()
    else if (character === OPEN_OBJECT || character === OPEN_LIST) scanner.open(character === OPEN_OBJECT)
    else if (character === CLOSE_OBJECT || character === CLOSE_LIST) scanner.close()
  }
  return scanner
}

class Scanner implements Scan {
  readonly duplicates: string[] = []
  tooDeep = false
  tooMany = false
  readonly #text: string
  readonly #stack: Level[] = []
  #top: Level | undefined
  #expectsKey = false
  #commas = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Where the string that begins at `start` ends. */
  string(start: number): number {
    const end = endOfString(this.#text, start)
    if (this.#expectsKey && this.#top) noteKey(this.#top, keyOf(this.#text, start, end), this.#stack, this.duplicates)
    this.#expectsKey = false
    return end
  }

  comma(): void {
    this.tooMany = ++this.#commas >= MAX_VALUES
    if (this.#top) this.#top.index++
    this.#expectsKey = this.#top?.keys !== undefined
  }

  open(isObject: boolean): void {
    this.#top = { keys: isObject ? new Set() : undefined, index: 0, key: '' }
    this.tooDeep = this.#stack.push(this.#top) > MAX_DEPTH
    this.#expectsKey = isObject
  }

  close(): void {
    this.#stack.pop()
    this.#top = this.#stack.at(-1)
    this.#expectsKey = false
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function keyOf(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end)
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
}

function noteKey(level: Level, key: string, stack: readonly Level[], duplicates: string[]): void {
  level.key = key
  if (!level.keys?.has(key)) level.keys?.add(key)
  else if (duplicates.length < 100) duplicates.push(pathOf(stack))
}

function pathOf(stack: readonly Level[]): string {
  return stack.reduce((path, level) => {
    if (!level.keys) return `${path}[${level.index}]`
    return path === '' ? level.key : `${path}.${level.key}`
  }, '')
}
