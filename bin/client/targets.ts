/** What the words after a verb mean: `units`, `unit a b`, `unit/a machine/m1`, `units,machines`. */
import { type ResourceType, resolveTypes } from './resources.ts'

export interface Target {
  readonly type: ResourceType
  /** Every object of the type when there is none. */
  readonly name?: string
}

const MIXED = 'give either KIND NAME… or KIND/NAME…, not both'

/** Throws a sentence where the words make no sense or the server has no such kind. */
export function parseTargets(types: readonly ResourceType[], words: readonly string[]): Target[] {
  const [first = '', ...rest] = words
  if (words.some((word) => word.includes('/'))) return words.map((word) => pairOf(types, word))
  const kinds = first.split(',').filter((word) => word !== '')
  if (kinds.length === 0) throw new Error('name a kind, for example "units"')
  const found = kinds.flatMap((word) => resolveTypes(types, word))
  if (rest.length === 0) return found.map((type) => ({ type }))
  if (found.length > 1) throw new Error(`names belong to one kind, and "${first}" is ${found.length}`)
  return found.flatMap((type) => rest.map((name) => ({ type, name })))
}

function pairOf(types: readonly ResourceType[], word: string): Target {
  const at = word.indexOf('/')
  const [kind, name] = [word.slice(0, at), word.slice(at + 1)]
  if (at < 1 || name === '' || name.includes('/')) throw new Error(`"${word}": ${MIXED}`)
  const [type, ...others] = resolveTypes(types, kind)
  if (type === undefined || others.length > 0) throw new Error(`"${kind}" is more than one kind`)
  return { type, name }
}
