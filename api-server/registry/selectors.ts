/** Field selectors as clients write them in a query: parsed once, matched often. Label selectors: label-selector.ts. */
import type { Kind } from '../../crds/kind.ts'
import { badRequest } from './errors.ts'

export { type LabelSelector, matchesLabels, parseLabelSelector, type Requirement } from './label-selector.ts'

const MAX_SELECTOR_LENGTH = 16_384
const MAX_SHOWN_LENGTH = 200

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
