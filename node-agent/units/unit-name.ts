/**
 * Names of units as systemd understands them. Everything that turns a name into a path or a bus call passes here first:
 * a name that got through has no slash, so it cannot leave a directory.
 */

const TYPES = 'automount|device|mount|path|scope|service|slice|socket|swap|target|timer'
const NAME = new RegExp(`^(?!\\.{1,2}$)[A-Za-z0-9:_.\\\\@-]+\\.(?:${TYPES})$`)
const MAX_NAME_BYTES = 255
const PATH_PREFIX = '/org/freedesktop/systemd1/unit/'

export interface UnitNameParts {
  /** `web` of `web@1.service`. */
  readonly prefix: string
  /** `1` of `web@1.service`; '' for a plain unit and for a template. */
  readonly instance: string
  readonly type: string
  readonly isTemplate: boolean
}

export function isUnitName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && NAME.test(name) && !name.startsWith('@') && !name.startsWith('.')
}

/** Valid and startable: a template (`web@.service`) is a file, not a unit, and the manager refuses lists that hold one. */
export function isConcreteUnitName(name: string): boolean {
  return isUnitName(name) && !splitUnitName(name).isTemplate
}

export function splitUnitName(name: string): UnitNameParts {
  const dot = name.lastIndexOf('.')
  const stem = name.slice(0, dot)
  const at = stem.indexOf('@')
  if (at < 0) return { prefix: stem, instance: '', type: name.slice(dot + 1), isTemplate: false }
  const instance = stem.slice(at + 1)
  return { prefix: stem.slice(0, at), instance, type: name.slice(dot + 1), isTemplate: instance === '' }
}

/** `a\x2db` → `a-b`, and a lone `-` → `/`: systemd's unescaping, as in `%I`. */
export function unescapeName(text: string): string {
  const bytes = text
    .replaceAll('-', '/')
    .replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

const NOT_FROM_FILES: Readonly<Record<string, string>> = {
  scope: 'a scope unit cannot be made from a file: systemd makes one when a program asks for it',
  snapshot: 'snapshot units are gone from systemd since version 228',
  busname: 'busname units are gone from systemd since version 236',
}

/** Why systemd has no such unit from a file, in one sentence; names that fleet took, systemd need not. */
export function notFromFile(name: string): string | undefined {
  return NOT_FROM_FILES[name.slice(name.lastIndexOf('.') + 1)]
}

/** The unit's name out of its object path; undefined for any other object. */
export function unitOfPath(path: string): string | undefined {
  if (!path.startsWith(PATH_PREFIX)) return undefined
  const label = path.slice(PATH_PREFIX.length)
  if (label === '_') return ''
  return label.replace(/_([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** The object path of a unit: every byte but letters and digits becomes `_xx`, a leading digit too. */
export function pathOfUnit(name: string): string {
  const escaped = (char: string) => `_${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  return PATH_PREFIX + name.replace(/^[0-9]|[^A-Za-z0-9]/g, escaped)
}
