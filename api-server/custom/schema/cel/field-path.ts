/** A rule's `fieldPath` (`.spec.replicas`, `['a-b']`): the field to blame instead of the one the rule stands on. */
import type { SchemaNode } from '../node.ts'

const STEP = /^(?:\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\])/s
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ["'", "'"],
  ['\\', '\\'],
])
const MAX_LENGTH = 1000

/** The path as causes spell it (`spec.replicas`); undefined when it leads to no field of the schema. */
export function resolveFieldPath(text: string, node: SchemaNode): string | undefined {
  let [rest, at, path] = [text.slice(0, MAX_LENGTH), node, '']
  while (rest !== '') {
    const found = STEP.exec(rest)
    const name = found && unescaped(found[1] ?? found[2] ?? '')
    const next = name === undefined || name === null ? undefined : child(at, name)
    if (!found || !next) return undefined
    path = next.isNamed ? (path === '' ? `${name}` : `${path}.${name}`) : `${path}[${name}]`
    at = next.node
    rest = rest.slice(found[0].length)
  }
  return path === '' ? undefined : path
}

function child(node: SchemaNode, name: string): { node: SchemaNode; isNamed: boolean } | undefined {
  const named = node.properties.get(name)
  if (named) return { node: named, isNamed: true }
  if (node.properties.size > 0 || node.additional === true || !node.additional) return undefined
  return { node: node.additional, isNamed: false }
}

/** Undefined when it escapes what need not be. */
function unescaped(text: string): string | undefined {
  let isWrong = false
  const plain = text.replace(/\\(.)/gs, (_whole, letter: string) => {
    const meant = ESCAPES.get(letter)
    isWrong ||= meant === undefined
    return meant ?? ''
  })
  return isWrong ? undefined : plain
}
