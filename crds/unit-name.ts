/**
 * systemd unit names, by the rules that fleet checked at its door (docs: compatibility, unit names).
 * A name is also a path segment, a file name and an object name, so nothing outside this alphabet ever gets further.
 */
const TYPES = new Set([
  'automount',
  'busname',
  'device',
  'mount',
  'path',
  'scope',
  'service',
  'slice',
  'snapshot',
  'socket',
  'swap',
  'target',
  'timer',
])
const TEMPLATE_TYPES = new Set(['path', 'service', 'socket', 'target', 'timer'])
export const MAX_UNIT_NAME_BYTES = 253

export interface UnitNameParts {
  /** What stands before the first `@`, or the whole stem. */
  readonly prefix: string
  /** Between `@` and the type: undefined for plain units, '' for templates. */
  readonly instance: string | undefined
  readonly type: string
}

/** What is wrong with `name` as a systemd unit name, or undefined. */
export function checkUnitName(name: string): string | undefined {
  if (name === '') return 'unit name cannot be empty'
  if (Buffer.byteLength(name) > MAX_UNIT_NAME_BYTES) return `unit name exceeds maximum length (${MAX_UNIT_NAME_BYTES})`
  const dot = name.lastIndexOf('.')
  if (dot < 0) return 'unit name must contain "."'
  if (dot === name.length - 1) return 'unit name cannot end in "."'
  const type = name.slice(dot + 1)
  if (!TYPES.has(type)) return `invalid unit type: "${type}"`
  if (name.includes('@') && !TEMPLATE_TYPES.has(type)) return `invalid unit type for template: "${type}"`
  const stem = name.slice(0, dot)
  const bad = /[^0-9A-Za-z:\-_.\\@]/.exec(stem)
  if (bad) return `invalid character '${bad[0]}' in unit name`
  if (stem.startsWith('@')) return 'unit name cannot start in "@"'
  return stem === '' ? 'unit name cannot start in "."' : undefined
}

export function parseUnitName(name: string): UnitNameParts {
  const dot = name.lastIndexOf('.')
  const stem = name.slice(0, dot)
  const at = stem.indexOf('@')
  const type = name.slice(dot + 1)
  return at < 0
    ? { prefix: stem, instance: undefined, type }
    : { prefix: stem.slice(0, at), instance: stem.slice(at + 1), type }
}

/** `web@.service`: stored to be instantiated, never run itself. */
export function isTemplate(name: string): boolean {
  return parseUnitName(name).instance === ''
}
