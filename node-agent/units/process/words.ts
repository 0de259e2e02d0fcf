/** Splits a value into words by systemd's quoting rules: quotes anywhere, C escapes, no shell. */

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  s: ' ',
}
const NUMERIC_ESCAPE = /^(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/

export interface Word {
  readonly text: string
  /** As it stood in the file, to tell `;` from `";"`. */
  readonly raw: string
}

/** Throws when a quote stays open. */
export function splitWords(value: string): Word[] {
  const words: Word[] = []
  for (let at = skipBlanks(value, 0); at < value.length; ) {
    const { text, end } = readWord(value, at)
    words.push({ text, raw: value.slice(at, end) })
    at = skipBlanks(value, end)
  }
  return words
}

function skipBlanks(value: string, from: number): number {
  let at = from
  while (at < value.length && isBlank(value[at])) at++
  return at
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r'
}

function readWord(value: string, start: number): { readonly text: string; readonly end: number } {
  let text = ''
  let quote = ''
  let at = start
  while (at < value.length) {
    const char = value[at] ?? ''
    if (quote === '' && isBlank(char)) break
    if (char === '\\') {
      const escaped = readEscape(value.slice(at + 1, at + 10))
      text += escaped.text
      at += 1 + escaped.length
      continue
    }
    if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    else text += char
    at++
  }
  if (quote !== '') throw new Error(`a ${quote} quote is not closed`)
  return { text, end: at }
}

/** `following` starts after the backslash. An unknown escape stays as it is written, as in systemd. */
function readEscape(following: string): { readonly text: string; readonly length: number } {
  const simple = SIMPLE_ESCAPES[following[0] ?? '']
  if (simple !== undefined) return { text: simple, length: 1 }
  const match = NUMERIC_ESCAPE.exec(following)
  if (!match) return { text: `\\${following.slice(0, 1)}`, length: Math.min(1, following.length) }
  const [whole, hex, octal, short, long] = match
  const code = octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8)
  if (code === 0 || code > 0x10ffff) throw new Error(`'\\${whole}' is not a character`)
  return { text: String.fromCodePoint(code), length: whole.length }
}
