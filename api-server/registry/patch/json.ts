/**
 * JSON patch (RFC 6902) on the `jsonpatch` package, with what an API server owes its clients. Two things are ours:
 * `test`, because the package calls any two objects equal and agents claim units with it; and copies, because what it
 * copies stays shared. The target is changed in place: 10 000 operations on a long list must not copy it each time.
 */
import { isDeepStrictEqual } from 'node:util'
import jsonpatch from 'jsonpatch'
import { badRequest, entityTooLarge, invalidRequest } from '../errors.ts'
import { MAX_DEPTH } from '../json-scan.ts'
import { isObject } from './merge.ts'

const MAX_OPERATIONS = 10_000
/** Copies can double a document with every operation. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024

interface Operation {
  readonly op: string
  readonly path: readonly string[]
  readonly from: readonly string[]
  readonly value: unknown
}

/** What `target` becomes; `target` itself is used up. Throws 400 for what is no patch, 422 for a patch that does not fit `target` (a failed `test` among them). */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  const operations = parse(patch)
  let copiedBytes = 0
  const result = operations.reduce((document, operation) => {
    if (operation.op === 'copy') copiedBytes += JSON.stringify(read(document, operation.from)).length
    if (copiedBytes > MAX_COPIED_BYTES) throw refused('it copies more than an object may hold')
    return apply(document, operation)
  }, target)
  if (isDeeperThan(result, MAX_DEPTH)) throw refused(`the result is nested deeper than ${MAX_DEPTH} levels`)
  return result
}

function parse(patch: unknown): readonly Operation[] {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: a JSON patch must be an array of operations')
  if (patch.length > MAX_OPERATIONS)
    throw entityTooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`)
  return patch.map(parseOperation)
}

function parseOperation(operation: unknown, at: number): Operation {
  const wrong = (why: string) => badRequest(`error decoding patch: operation ${at} ${why}`)
  if (!isObject(operation)) throw wrong('must be an object')
  const { op, path, from, value } = operation
  if (typeof op !== 'string' || !OPERATIONS.has(op))
    throw wrong(`needs "op", one of ${[...OPERATIONS.keys()].join(', ')}`)
  if (['add', 'replace', 'test'].includes(op) && value === undefined) throw wrong('needs "value"')
  const pointer = (name: string, text: unknown): string[] => {
    if (typeof text !== 'string' || (text !== '' && !text.startsWith('/')))
      throw wrong(`needs "${name}", a JSON pointer such as /metadata/labels`)
    const segments = text.split('/').slice(1)
    if (segments.length > MAX_DEPTH) throw wrong(`has a "${name}" deeper than ${MAX_DEPTH} levels`)
    if (segments.includes('__proto__')) throw wrong(`has a "${name}" that names "__proto__"`)
    return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  const takesFrom = op === 'move' || op === 'copy'
  // Cloned, because a patch may be applied again after a lost race, and later operations change what earlier ones added.
  return {
    op,
    path: pointer('path', path),
    from: takesFrom ? pointer('from', from) : [],
    value: structuredClone(value),
  }
}

const refused = (why: string) =>
  invalidRequest(`the server rejected our request due to an error in our request: JSON patch: ${why}`)

type Apply = (document: unknown, operation: Operation) => unknown

const OPERATIONS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['add', add],
  ['replace', replace],
  ['remove', remove],
  ['copy', (document, { path, from }) => add(document, { path, value: structuredClone(read(document, from)) })],
  ['move', move],
  ['test', test],
])

function apply(document: unknown, operation: Operation): unknown {
  return OPERATIONS.get(operation.op)?.(document, operation)
}

function move(document: unknown, { path, from }: Operation): unknown {
  const inside = path.length > from.length && from.every((segment, at) => path[at] === segment)
  if (inside) throw refused(`${show(from)} cannot move into itself`)
  const value = read(document, from)
  return add(remove(document, { path: from }), { path, value })
}

function test(document: unknown, { path, value }: Operation): unknown {
  if (!isDeepStrictEqual(read(document, path), value)) throw refused(`testing path ${show(path)} value failed`)
  return document
}

function add(document: unknown, { path, value }: Pick<Operation, 'path' | 'value'>): unknown {
  return change(document, path, (pointer) => pointer.add(document, value, true))
}

function replace(document: unknown, { path, value }: Pick<Operation, 'path' | 'value'>): unknown {
  read(document, path) // says what is missing in our own words
  return change(document, path, (pointer) => pointer.replace(document, value, true))
}

function remove(document: unknown, { path }: Pick<Operation, 'path'>): unknown {
  if (path.length === 0) throw refused('the whole object cannot be removed')
  read(document, path)
  return change(document, path, (pointer) => pointer.remove(document, true))
}

/** What the package's pointers do; its typings leave out that `mutate` makes them change the document itself. */
interface Pointer {
  add(document: unknown, value: unknown, mutate: boolean): unknown
  replace(document: unknown, value: unknown, mutate: boolean): unknown
  remove(document: unknown, mutate: boolean): unknown
}

const { JSONPointer } = jsonpatch as unknown as { JSONPointer: new (path: string) => Pointer }

function change(document: unknown, path: readonly string[], make: (pointer: Pointer) => unknown): unknown {
  const parent = path.length === 0 ? {} : read(document, path.slice(0, -1), path)
  // The package would "change" a text or a number without a word.
  if (!Array.isArray(parent) && !isObject(parent)) throw missing(path)
  try {
    return make(
      new JSONPointer(path.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')),
    )
  } catch (error) {
    throw refused(`${show(path)}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function read(document: unknown, path: readonly string[], shown = path): unknown {
  return path.reduce((node, segment) => {
    if (Array.isArray(node)) return node[position(node, segment, shown)]
    if (isObject(node) && Object.hasOwn(node, segment)) return node[segment]
    throw missing(shown)
  }, document)
}

function position(list: readonly unknown[], segment: string, path: readonly string[]): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(segment) || Number(segment) >= list.length)
    throw refused(`${show(path)} is no place in a list of ${list.length}`)
  return Number(segment)
}

const missing = (path: readonly string[]) => refused(`${show(path)} does not exist`)

const MAX_SHOWN_LENGTH = 200

function show(path: readonly string[]): string {
  return JSON.stringify(`/${path.join('/')}`.slice(0, MAX_SHOWN_LENGTH))
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1))
}
