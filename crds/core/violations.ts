/** Violations that rules of several kinds come to. */
import type { Violation } from '../kind.ts'

type Path = Violation['path']
const MAX_PORT = 65_535

export function oneOf(path: Path, value: unknown, allowed: readonly string[]): Violation[] {
  return typeof value === 'string' && allowed.includes(value) ? [] : [unsupported(path, allowed)]
}

export function unsupported(path: Path, allowed: readonly string[]): Violation {
  const message = `supported values: ${allowed.map((one) => JSON.stringify(one)).join(', ')}`
  return { path, message, reason: 'FieldValueNotSupported' }
}

export function required(...path: (string | number)[]): Violation {
  return { path, message: '', reason: 'FieldValueRequired' }
}

export function because(path: Path, message: string | undefined): Violation[] {
  return message === undefined ? [] : [{ path, message }]
}

export function checkPortNumber(path: Path, port: unknown): Violation[] {
  return typeof port === 'number' && port >= 1 && port <= MAX_PORT
    ? []
    : [{ path, message: `must be between 1 and ${MAX_PORT}, inclusive` }]
}
