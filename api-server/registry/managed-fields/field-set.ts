/**
 * Sets of field paths, in the very form in which `managedFields` writes them (FieldsV1): a tree of path elements in
 * which an empty node is a path of the set, and a node that is both a path and an ancestor of others holds a ".".
 * What lies in the store is therefore used as it is, without a decoding step. Sets are never changed once built, and
 * an operation that changes nothing returns its first argument itself: `===` tells whether an entry must be rewritten.
 *
 * Elements: `f:<name>` a field, `k:{…}` the list element with these keys, `v:<json>` an element of a set, `i:<n>` an index.
 */

export interface FieldSet {
  readonly [element: string]: FieldSet
}

/** A set under construction. */
export interface FieldSetBuilder {
  [element: string]: FieldSetBuilder
}

/** One path, outermost element first. */
export type FieldPath = readonly string[]

const SELF = '.'
export const EMPTY: FieldSet = Object.freeze({})

/** Whether a whole set (not a node of one) holds no path. */
export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

function isMember(node: FieldSet): boolean {
  return node[SELF] !== undefined || isEmpty(node)
}

/** A node from its parts; undefined when it would stand for nothing. */
function nodeOf(member: boolean, children: FieldSetBuilder): FieldSet | undefined {
  if (isEmpty(children)) return member ? EMPTY : undefined
  return member ? { [SELF]: EMPTY, ...children } : children
}

/**
 * Nodes under construction that hold something. Asking the node itself makes V8 list all its keys, once a path: 8 000
 * keys of a ConfigMap then took half a minute.
 */
const filled = new WeakSet<FieldSetBuilder>()

/** Adds a path; `path` must not be empty. Below its root, `set` must have been built by this function alone. */
export function insert(set: FieldSetBuilder, path: FieldPath): void {
  let node = set
  for (const [at, element] of path.entries()) {
    const isLast = at === path.length - 1
    const next = node[element]
    if (next === undefined) {
      const made: FieldSetBuilder = {}
      node[element] = made
      filled.add(node)
      node = made
      continue
    }
    // An empty node stands for its own path; once it has company it must say so.
    if (filled.has(next) === isLast) {
      next[SELF] ??= {}
      filled.add(next)
    }
    node = next
  }
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a
  return isEmpty(a) ? b : unite(a, b)
}

function unite(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const isNewMember = isMember(b) && !isMember(a)
  let joined: FieldSetBuilder | undefined
  for (const element in b) {
    const [mine, theirs] = [a[element], b[element]]
    if (element === SELF || theirs === undefined) continue
    const both = mine === undefined ? theirs : unite(mine, theirs)
    if (both === mine) continue
    // The node was a path alone, and gets children.
    joined ??= (isEmpty(a) ? { [SELF]: EMPTY } : { ...a }) as FieldSetBuilder
    joined[element] = both as FieldSetBuilder
  }
  if (isNewMember) return { [SELF]: EMPTY, ...(joined ?? a) }
  return joined ?? a
}

/** Paths of `a` that are not in `b`. A path of `b` takes nothing from the paths below it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a
  return subtract(a, b) ?? EMPTY
}

function subtract(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return undefined
  const member = isMember(a) && !isMember(b)
  const children: FieldSetBuilder = {}
  let isSame = member === isMember(a)
  for (const element in a) {
    const [mine, theirs] = [a[element], b[element]]
    if (element === SELF || mine === undefined) continue
    const left = theirs === undefined ? mine : subtract(mine, theirs)
    if (left !== mine) isSame = false
    if (left !== undefined) children[element] = left as FieldSetBuilder
  }
  return isSame ? a : nodeOf(member, children)
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return EMPTY
  return common(a, b) ?? EMPTY
}

function common(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return a
  const children: FieldSetBuilder = {}
  for (const element in a) {
    const [mine, theirs] = [a[element], b[element]]
    if (element === SELF || mine === undefined || theirs === undefined) continue
    const both = common(mine, theirs)
    if (both !== undefined) children[element] = both as FieldSetBuilder
  }
  return nodeOf(isMember(a) && isMember(b), children)
}

export function has(set: FieldSet, element: string): boolean {
  const node = set[element]
  return node !== undefined && isMember(node)
}

/** The paths below `element`, without it; empty when there are none. */
export function below(set: FieldSet, element: string): FieldSet {
  const node = set[element]
  if (node === undefined || node[SELF] === undefined) return node ?? EMPTY
  const { [SELF]: _self, ...children } = node
  return children
}

/** Every path: those that end at a level before those that go deeper. */
export function* pathsOf(set: FieldSet, prefix: FieldPath = []): Generator<FieldPath> {
  const elements = Object.keys(set).filter((element) => element !== SELF)
  elements.sort()
  for (const element of elements) if (has(set, element)) yield [...prefix, element]
  for (const element of elements) yield* pathsOf(set[element] ?? EMPTY, [...prefix, element])
}

/** The same set with its elements in order, which is how it is stored and shown. */
export function inOrder(set: FieldSet): FieldSet {
  const elements = Object.keys(set).sort()
  return Object.fromEntries(elements.map((element) => [element, inOrder(set[element] ?? EMPTY)]))
}

/** `.spec.env[name="a"].value`: how messages write a path. */
export function showPath(path: FieldPath): string {
  return path.map(showElement).join('')
}

export function showElement(element: string): string {
  const rest = element.slice(2)
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${rest}`
    case 'k:':
      return `[${Object.entries(JSON.parse(rest) as object)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`
    case 'v:':
      return `[=${rest}]`
    default:
      return `[${rest}]`
  }
}
