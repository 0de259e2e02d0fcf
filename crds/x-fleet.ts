/**
 * The [X-Fleet] section of a unit file. Source: fleet's unit/job packages as observed (docs: compatibility, X-Fleet).
 * Section and option names are case sensitive; an option given twice has both values; unknown options are left alone.
 */
import { parseUnitName } from './unit-name.ts'

export interface XFleet {
  /** The first value of the first spelling that is there. */
  readonly machineId: string | undefined
  readonly machineOf: readonly string[]
  /** As written; what is not one `key=value` means nothing (see `keyValue`). */
  readonly machineMetadata: readonly string[]
  /** One glob each; a value may hold several, parted by blanks. */
  readonly conflicts: readonly string[]
  readonly replaces: readonly string[]
  readonly global: boolean
  /** What is there at all, under its present name, even where its value is of no use. */
  readonly given: ReadonlySet<string>
}

/** Options by their present name, each with the older spellings that still count; for MachineID the first found wins. */
const SPELLINGS = {
  MachineID: ['MachineID', 'X-ConditionMachineID', 'X-ConditionMachineBootID'],
  MachineOf: ['X-ConditionMachineOf', 'MachineOf'],
  MachineMetadata: ['X-ConditionMachineMetadata', 'MachineMetadata'],
  Conflicts: ['X-Conflicts', 'Conflicts'],
  Replaces: ['Replaces'],
  Global: ['Global'],
} as const

const TRUE = new Set(['true', 'yes', '1', 'on', 't'])

const EMPTY: XFleet = {
  machineId: undefined,
  machineOf: [],
  machineMetadata: [],
  conflicts: [],
  replaces: [],
  global: false,
  given: new Set(),
}

/** `unitName` fills the specifiers %n, %N, %p and %i; without it they stay as they are. */
export function readXFleet(content: string, unitName?: string): XFleet {
  if (!content.includes('[X-Fleet]')) return EMPTY
  const options = readSection(content)
  const expand = unitName === undefined ? (value: string) => value : specifiersOf(unitName)
  const all = (option: keyof typeof SPELLINGS) =>
    SPELLINGS[option].flatMap((spelling) => options.get(spelling) ?? []).map(expand)
  return {
    machineId: all('MachineID')[0],
    machineOf: all('MachineOf'),
    machineMetadata: all('MachineMetadata'),
    conflicts: all('Conflicts').flatMap((value) => value.split(/\s+/).filter(Boolean)),
    replaces: all('Replaces'),
    global: TRUE.has((all('Global').at(-1) ?? '').toLowerCase()),
    given: new Set(
      Object.entries(SPELLINGS).flatMap(([name, each]) => (each.some((s) => options.has(s)) ? [name] : [])),
    ),
  }
}

/** One `=` with something on both sides; undefined for everything else, which fleet ignored. */
export function keyValue(text: string): readonly [key: string, value: string] | undefined {
  const [key = '', value = '', ...more] = text.split('=')
  return key && value && more.length === 0 ? [key, value] : undefined
}

function readSection(content: string): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, string[]>()
  let inside = false
  for (const line of logicalLines(content)) {
    if (line.startsWith('[')) inside = line === '[X-Fleet]'
    else if (inside && line !== '' && !line.startsWith('#') && !line.startsWith(';')) addOption(options, line)
  }
  return options
}

/** Trimmed; a line that ends in a backslash goes on in the next one, and the backslash stays part of the value. */
function logicalLines(content: string): string[] {
  const lines: string[] = []
  let open = false
  for (const line of content.split('\n').map((each) => each.trim())) {
    if (open) lines.push(`${lines.pop() ?? ''}\n${line}`)
    else lines.push(line)
    open = line.endsWith('\\')
  }
  return lines
}

function addOption(options: Map<string, string[]>, line: string): void {
  const equals = line.indexOf('=')
  if (equals < 0) return
  const name = line.slice(0, equals).trim()
  options.set(name, [...(options.get(name) ?? []), ...unquote(line.slice(equals + 1).trim())])
}

/** `"a=b" "c=d"` is two values; what does not begin and end with a quote is one. */
function unquote(value: string): string[] {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return [value]
  const values = ['']
  let quoted = false
  for (const character of value) {
    if (character === '"') quoted = !quoted
    else if (character === ' ' && !quoted) values.push('')
    else values.push(`${values.pop() ?? ''}${character}`)
  }
  return values.filter(Boolean)
}

/** Plain replacement, in fleet's order: there is no `%%`. */
function specifiersOf(unitName: string): (value: string) => string {
  const { prefix, instance = '' } = parseUnitName(unitName)
  const stem = unitName.slice(0, unitName.lastIndexOf('.'))
  return (value) =>
    value.includes('%')
      ? value
          .replaceAll('%n', () => unitName)
          .replaceAll('%N', () => stem)
          .replaceAll('%p', () => prefix)
          .replaceAll('%i', () => instance)
      : value
}
