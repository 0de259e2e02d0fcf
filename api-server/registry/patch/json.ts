/** JSON patch (RFC 6902) through `jsonpatch`, with the limits and errors that an API server owes its clients. */
import jsonpatch from 'jsonpatch'
import { badRequest, invalidRequest } from '../errors.ts'

const MAX_OPERATIONS = 10_000
/** Copies can double a document with every operation. */
const MAX_RESULT_BYTES = 3 * 1024 * 1024
const CHECK_SIZE_EVERY = 16

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

const errors = jsonpatch as unknown as Record<'InvalidPatch' | 'PatchApplyError', new () => Error>

export function jsonPatch(target: unknown, patch: unknown): unknown {
  const operations = checkOperations(patch)
  let result = target
  for (let at = 0; at < operations.length; at += CHECK_SIZE_EVERY) {
    result = applyChecked(result, operations.slice(at, at + CHECK_SIZE_EVERY))
    if (operations.some(({ op }) => op === 'copy') && JSON.stringify(result).length > MAX_RESULT_BYTES)
      throw invalidRequest('the patched object is too large')
  }
  return result
}

function checkOperations(patch: unknown): readonly Operation[] {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be an array of operations')
  if (patch.length > MAX_OPERATIONS)
    throw invalidRequest(`the allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`)
  return patch.map((operation: unknown, at) => {
    const { op, path, from } = (operation ?? {}) as Operation
    if (typeof op !== 'string' || typeof path !== 'string')
      throw badRequest(`JSON patch operation ${at} needs "op" and "path"`)
    if ((op === 'move' || op === 'copy') && (typeof from !== 'string' || from === ''))
      throw badRequest(`JSON patch operation ${at} needs "from"`)
    if ([path, from ?? ''].some((pointer) => pointer.split('/').includes('__proto__')))
      throw badRequest(`JSON patch operation ${at} has a path that names "__proto__"`)
    return operation as Operation
  })
}

function applyChecked(target: unknown, operations: readonly Operation[]): unknown {
  try {
    return jsonpatch.apply_patch(target as object, operations as unknown as Parameters<typeof jsonpatch.apply_patch>[1])
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof errors.PatchApplyError)
      throw invalidRequest(`the server rejected our request due to an error in our request: ${reason}`)
    throw badRequest(`error decoding patch: ${reason}`)
  }
}
