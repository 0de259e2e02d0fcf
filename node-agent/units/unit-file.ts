/**
 * Reads the syntax of unit files as systemd does: sections merge by name, keys repeat, an empty assignment forgets the
 * earlier ones, a backslash at the end joins lines (comments between them vanish). What systemd warns of and ignores is
 * a warning here; what makes it refuse the file is a UnitFileError. Meaning of keys is the reader's business.
 */

const MAX_FILE_BYTES = 1024 * 1024
const MAX_LINE_CHARS = 64 * 1024

export interface UnitEntry {
  readonly section: string
  readonly key: string
  readonly value: string
  /** Where it starts, counted from 1. */
  readonly line: number
}

export interface UnitFileWarning {
  readonly line: number
  readonly message: string
}

export interface UnitSections {
  /** Section names in order of first sight. */
  readonly sections: readonly string[]
  /** Every assignment in order, the resetting empty ones too. */
  readonly entries: readonly UnitEntry[]
  readonly warnings: readonly UnitFileWarning[]
  /** The value that counts for a single-valued key: the last one; undefined when absent or reset. */
  last(section: string, key: string): string | undefined
  /** All values of a list key since it was last reset. */
  all(section: string, key: string): readonly string[]
}

/** The file cannot be read at all; `line` counts from 1. */
export class UnitFileError extends Error {
  readonly line: number
  constructor(line: number, message: string, where = '') {
    super(`${where}line ${line}: ${message}`)
    this.line = line
    this.#message = message
  }
  readonly #message: string

  /** The same mistake, told to be in that file. */
  within(file: string): UnitFileError {
    return new UnitFileError(this.line, this.#message, `${file}, `)
  }
}

/** A unit file with its drop-ins, in the order in which they count. */
export interface UnitTexts {
  readonly content: string
  readonly dropIns?: readonly { readonly name: string; readonly content: string }[]
}

export function parseUnitFile(text: string): UnitSections {
  return parseUnit({ content: text })
}

/** As systemd merges them: each text begins without a section, and what a drop-in assigns comes after all before it. */
export function parseUnit({ content, dropIns = [] }: UnitTexts): UnitSections {
  const parts = [parseText(content), ...dropIns.map((dropIn) => parseDropIn(dropIn))]
  const entries = parts.flatMap((part) => part.entries)
  return {
    sections: [...new Set(parts.flatMap((part) => part.sections))],
    entries,
    warnings: parts.flatMap((part) => part.warnings),
    ...lookups(entries),
  }
}

function parseDropIn({ name, content }: { readonly name: string; readonly content: string }): ParsedText {
  try {
    return parseText(content)
  } catch (error) {
    throw error instanceof UnitFileError ? error.within(`drop-in ${name}`) : error
  }
}

type ParsedText = Pick<UnitSections, 'sections' | 'entries' | 'warnings'>

function parseText(text: string): ParsedText {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES)
    throw new UnitFileError(1, `file is larger than ${MAX_FILE_BYTES} bytes`)
  const sections = new Set<string>()
  const entries: UnitEntry[] = []
  const warnings: UnitFileWarning[] = []
  let section = ''
  for (const { line, text: content } of logicalLines(text)) {
    if (content.startsWith('[')) {
      section = sectionName(content, line)
      sections.add(section)
      continue
    }
    const entry = assignment(content, section, line)
    if ('message' in entry) warnings.push(entry)
    else entries.push(entry)
  }
  return { sections: [...sections], entries, warnings }
}

function lookups(entries: readonly UnitEntry[]): Pick<UnitSections, 'last' | 'all'> {
  const all = (section: string, key: string) => {
    const values = entries.filter((entry) => entry.section === section && entry.key === key).map(({ value }) => value)
    return values.slice(values.lastIndexOf('') + 1)
  }
  return { all, last: (section, key) => all(section, key).at(-1) }
}

/** Lines with continuations joined by one space, comments and blank lines left out. */
function* logicalLines(text: string): Generator<{ readonly line: number; readonly text: string }> {
  let joined: string | undefined
  let start = 0
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = index + 1
    if (raw.includes('\0')) throw new UnitFileError(line, 'NUL byte')
    if (/^\s*[#;]/.test(raw)) continue
    if (joined === undefined) start = line
    const whole: string = (joined ?? '') + (joined === undefined ? raw.trimStart() : raw)
    if (whole.length > MAX_LINE_CHARS)
      throw new UnitFileError(start, `line is longer than ${MAX_LINE_CHARS} characters`)
    joined = continues(whole) ? `${whole.slice(0, -1)} ` : undefined
    if (joined === undefined && whole.trim() !== '') yield { line: start, text: whole.trim() }
  }
  if (joined?.trim()) yield { line: start, text: joined.trim() }
}

/** An odd number of backslashes at the end: an even one is escaped backslashes. */
function continues(line: string): boolean {
  const slashes = line.length - line.replace(/\\+$/, '').length
  return slashes % 2 === 1
}

function sectionName(content: string, line: number): string {
  const name = /^\[([^[\]]+)\]$/.exec(content)?.[1]
  if (name === undefined) throw new UnitFileError(line, `invalid section header '${content.slice(0, 100)}'`)
  return name
}

function assignment(content: string, section: string, line: number): UnitEntry | UnitFileWarning {
  if (section === '') return { line, message: 'assignment outside of a section, ignored' }
  const equals = content.indexOf('=')
  if (equals < 0) return { line, message: "missing '=', line ignored" }
  const key = content.slice(0, equals).trimEnd()
  if (key === '') return { line, message: "missing key name before '=', line ignored" }
  return { section, key, value: content.slice(equals + 1).trimStart(), line }
}
