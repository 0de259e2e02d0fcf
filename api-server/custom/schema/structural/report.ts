/** Where in a CRD a schema lies, and what is wrong with it, in the words of apimachinery's `field` package. */
import type { Violation, ViolationReason } from '../../../../crds/kind.ts'

export type Path = readonly (string | number)[]

/** `properties[name]`, as apimachinery prints a key of a map: one step, with its brackets. */
export function keyed(path: Path, step: string, key: string): Path {
  return [...path, `${step}[${key}]`]
}

/** Violations told at most; a schema of a megabyte can hold as many mistakes as it has bytes. */
const MAX_TOLD = 100

export class Report {
  readonly violations: Violation[] = []

  invalid(path: Path, value: unknown, message: string): void {
    this.#add({ path, value, message, reason: 'FieldValueInvalid' })
  }

  forbidden(path: Path, message: string): void {
    this.#add({ path, value: undefined, message, reason: 'FieldValueForbidden' })
  }

  required(path: Path, message: string): void {
    this.#add({ path, value: undefined, message, reason: 'FieldValueRequired' })
  }

  notSupported(path: Path, value: unknown, supported: readonly string[]): void {
    const list = supported.map((one) => JSON.stringify(one)).join(', ')
    this.#add({
      path,
      value,
      message: `supported values: ${list}`,
      reason: 'FieldValueNotSupported' satisfies ViolationReason,
    })
  }

  isFull(): boolean {
    return this.violations.length >= MAX_TOLD
  }

  #add(violation: Violation): void {
    if (!this.isFull()) this.violations.push(violation)
  }
}
