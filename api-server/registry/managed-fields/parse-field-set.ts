/** FieldsV1 that a client wrote, into a set that may be trusted: every element well-formed, size and depth bounded. */
import type { FieldSet, FieldSetBuilder } from './field-set.ts'

/** A set deeper than any object may be is an attack. */
export const MAX_FIELDS_DEPTH = 128
/** All the paths of all the entries that one request may bring. */
export const MAX_FIELDS = 20_000
const MAX_ELEMENT_LENGTH = 4_096

/** What is no FieldsV1. Kubernetes ignores such managedFields and keeps its own. */
export class MalformedFieldsError extends Error {}
/** What is too large or too deep to be looked at. */
export class OversizedFieldsError extends Error {}

/** Counts down over all the sets of one request. */
export interface Budget {
  fields: number
}

/** Throws MalformedFieldsError or OversizedFieldsError. The result shares nothing with `value`. */
export function parseFieldSet(value: unknown, budget: Budget): FieldSet {
  const set = parseNode(value, budget, 0)
  // The object itself is not a path that anybody owns.
  delete set['.']
  return set
}

function parseNode(value: unknown, budget: Budget, depth: number): FieldSetBuilder {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new MalformedFieldsError('fieldsV1 must be an object of objects')
  if (depth > MAX_FIELDS_DEPTH) throw new OversizedFieldsError(`must not be deeper than ${MAX_FIELDS_DEPTH} levels`)
  const node: FieldSetBuilder = {}
  let isPath = false
  for (const [element, inner] of Object.entries(value)) {
    if (--budget.fields < 0) throw new OversizedFieldsError(`must not name more than ${MAX_FIELDS} fields`)
    if (element === '.') isPath = true
    else node[canonical(element)] = parseNode(inner, budget, depth + 1)
  }
  // "." is written only where it says something: a node without children is a path by itself.
  return isPath && Object.keys(node).length > 0 ? { '.': {}, ...node } : node
}

function canonical(element: string): string {
  if (element.length > MAX_ELEMENT_LENGTH)
    throw new OversizedFieldsError(`must not have an element longer than ${MAX_ELEMENT_LENGTH} characters`)
  const rest = element.slice(2)
  switch (element.slice(0, 2)) {
    case 'f:':
      return element
    case 'v:':
      return `v:${JSON.stringify(scalar(json(rest)))}`
    case 'k:':
      return keyElement(json(rest))
    case 'i:':
      if (/^\d{1,9}$/.test(rest)) return element
  }
  throw new MalformedFieldsError(`${JSON.stringify(element)} is no element of a path`)
}

function keyElement(keys: unknown): string {
  if (keys === null || typeof keys !== 'object' || Array.isArray(keys) || Object.keys(keys).length === 0)
    throw new MalformedFieldsError('the keys of a list element must be an object')
  const sorted = Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))
  return `k:{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(scalar(value))}`).join(',')}}`
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MalformedFieldsError(`${JSON.stringify(text)} is no JSON`, { cause })
  }
}

function scalar(value: unknown): unknown {
  if (value !== null && typeof value === 'object') throw new MalformedFieldsError('a key or value must be a scalar')
  return value
}
