/** Label and field selectors as clients write them in a query: parsed once, matched often. */
import type { Kind } from '../../crds/kind.ts'
import { badRequest } from './errors.ts'

export interface Requirement {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt'
  readonly values: readonly string[]
}

export type LabelSelector = readonly Requirement[]

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/
const SET = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/
const COMPARE = /^([^=!<>\s]+)\s*(==|=|!=|>|<)\s*([^=!<>]*)$/
const MAX_SELECTOR_LENGTH = 16_384
const MAX_SHOWN_LENGTH = 200

export function parseLabelSelector(text: string): LabelSelector {
  if (text.length > MAX_SELECTOR_LENGTH) throw badRequest('label selector is too long')
  if (text.trim() === '') return []
  return splitOutsideParentheses(text).map((term) => checkLabels(parseTerm(term.trim()), text))
}

function parseTerm(term: string): Requirement {
  const set = SET.exec(term)
  if (set) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim())
    return { key: set[1] ?? '', operator: set[2] === 'in' ? 'in' : 'notin', values }
  }
  const compare = COMPARE.exec(term)
  if (compare) {
    const operator = ({ '=': 'in', '==': 'in', '!=': 'notin', '>': 'gt', '<': 'lt' } as const)[compare[2] as '=']
    return { key: compare[1] ?? '', operator, values: [(compare[3] ?? '').trim()] }
  }
  return term.startsWith('!')
    ? { key: term.slice(1).trim(), operator: 'absent', values: [] }
    : { key: term, operator: 'exists', values: [] }
}

function checkLabels(requirement: Requirement, text: string): Requirement {
  if (!LABEL_KEY.test(requirement.key))
    throw badRequest(`unable to parse requirement: invalid label key "${requirement.key}" in "${text}"`)
  const bad = requirement.values.find((value) => !LABEL_VALUE.test(value))
  if (bad !== undefined) throw badRequest(`unable to parse requirement: invalid label value "${bad}" in "${text}"`)
  const compares = requirement.operator === 'gt' || requirement.operator === 'lt'
  if (compares && !/^-?\d{1,15}$/.test(requirement.values[0] ?? ''))
    throw badRequest(`unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer in "${text}"`)
  return requirement
}

function splitOutsideParentheses(text: string): string[] {
  const terms: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '(') depth++
    else if (character === ')') depth--
    else if (character === ',' && depth === 0) {
      terms.push(text.slice(start, at))
      start = at + 1
    }
  }
  if (depth !== 0) throw badRequest(`unable to parse requirement: unbalanced parentheses in "${text}"`)
  return [...terms, text.slice(start)]
}

export function matchesLabels(selector: LabelSelector, labels: Readonly<Record<string, string>> | undefined): boolean {
  return selector.every((requirement) => {
    const value = labels !== undefined && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined
    return meets(requirement, value)
  })
}

function meets({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value)
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case 'absent':
      return value === undefined
    case 'gt':
      return isInteger(value) && Number(value) > Number(values[0])
    case 'lt':
      return isInteger(value) && Number(value) < Number(values[0])
  }
}

function isInteger(value: string | undefined): boolean {
  return value !== undefined && /^-?\d{1,15}$/.test(value)
}

export interface FieldRequirement {
  readonly path: string
  readonly value: string
  readonly equal: boolean
}

export type FieldSelector = readonly FieldRequirement[]

/** `metadata.name=web,spec.machineName!=m1`, with `\\,` `\\=` `\\\\` in values; only the kind's selectable fields. */
export function parseFieldSelector(text: string, kind: Kind): FieldSelector {
  if (text.length > MAX_SELECTOR_LENGTH) throw badRequest('field selector is too long')
  return (text.match(TERM) ?? []).map((term) => parseField(term, text, kind))
}

/** Up to a comma that no backslash hides. */
const TERM = /(?:\\.|[^,\\])+|\\$/g

function parseField(term: string, text: string, kind: Kind): FieldRequirement {
  const match = /^([^=!]+)(==|=|!=)((?:\\[,=\\]|[^,=\\])*)$/.exec(term)
  if (!match) throw badRequest(`invalid selector: '${cut(text)}'; can't understand '${cut(term)}'`)
  const path = (match[1] ?? '').trim()
  if (!selectablePaths(kind).includes(path)) throw badRequest(`field label not supported: ${path}`)
  return { path, value: (match[3] ?? '').replace(/\\(.)/g, '$1'), equal: match[2] !== '!=' }
}

function cut(text: string): string {
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text
}

/** In the order in which the watch cache keeps their values. */
export function selectablePaths(kind: Kind): readonly string[] {
  return ['metadata.name', 'metadata.namespace', ...kind.selectableFields]
}
