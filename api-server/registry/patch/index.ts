/** The patch types, by media type; apply is worked out in managed-fields/. A kind of our own accepts a strategic patch as a merge patch: it has no merge keys. */
import type { Kind } from '../../../crds/kind.ts'
import { unsupportedMediaType } from '../errors.ts'
import { jsonPatch } from './json.ts'
import { mergePatch } from './merge.ts'
import { mergeTypeOf } from './merge-type.ts'
import { strategicPatch } from './strategic.ts'

export type ApplyPatch = (target: unknown) => unknown

export const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const

export function patchOf(kind: Kind, mediaType: string, body: unknown): ApplyPatch {
  switch (mediaType) {
    case 'application/json-patch+json':
      return (target) => jsonPatch(target, body)
    case 'application/merge-patch+json':
      return (target) => mergePatch(target, body)
    case 'application/strategic-merge-patch+json':
      return (target) => (kind.builtIn ? strategicPatch(target, body, mergeTypeOf(kind)) : mergePatch(target, body))
    default:
      throw unsupportedMediaType(PATCH_TYPES)
  }
}
