/**
 * What JSON.parse does not tell: fields that appear twice, and nesting so deep that recursive code would fall over.
 * One pass over the text, no objects made.
 */

export const MAX_DEPTH = 128

export interface Scan {
  /** Paths such as `spec.ports[0].name`, in the order met. */
  readonly duplicates: readonly string[]
  readonly tooDeep: boolean
}

interface Level {
  readonly keys: Set<string> | undefined
  index: number
  key: string
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** `text` must be valid JSON (JSON.parse went through). */
export function scanJson(text: string): Scan {
  const duplicates: string[] = []
  const stack: Level[] = []
  let expectKey = false
  for (let at = 0; at < text.length; at++) {
    const top = stack.at(-1)
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at)
        if (expectKey && top?.keys) noteKey(top, keyOf(text, at, end), stack, duplicates)
        expectKey = false
        at = end
        break
      }
      case 0x7b: // {
        stack.push({ keys: new Set(), index: 0, key: '' })
        if (stack.length > MAX_DEPTH) return { duplicates, tooDeep: true }
        expectKey = true
        break
      case 0x5b: // [
        stack.push({ keys: undefined, index: 0, key: '' })
        if (stack.length > MAX_DEPTH) return { duplicates, tooDeep: true }
        expectKey = false
        break
      case 0x7d: // }
      case 0x5d: // ]
        stack.pop()
        expectKey = false
        break
      case 0x2c: // ,
        if (top?.keys) expectKey = true
        else if (top) top.index++
        break
      default:
    }
  }
  return { duplicates, tooDeep: false }
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
