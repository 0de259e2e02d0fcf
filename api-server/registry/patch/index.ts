/** The patch types, by media type. A kind of our own accepts a strategic patch as a merge patch: it has no merge keys. */
import type { Kind } from '../../../crds/kind.ts'
import { unsupportedMediaType } from '../errors.ts'
import { jsonPatch } from './json.ts'
import { mergePatch } from './merge.ts'
import { strategicPatch } from './strategic.ts'

export type ApplyPatch = (target: unknown) => unknown

export const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
] as const

export function patchOf(kind: Kind, mediaType: string, body: unknown): ApplyPatch {
  switch (mediaType) {
    case 'application/json-patch+json':
      return (target) => jsonPatch(target, body)
    case 'application/merge-patch+json':
      return (target) => mergePatch(target, body)
    case 'application/strategic-merge-patch+json':
      return (target) => (isCore(kind) ? strategicPatch(target, body) : mergePatch(target, body))
    default:
      throw unsupportedMediaType(PATCH_TYPES)
  }
}

function isCore(kind: Kind): boolean {
  return kind.group === '' || kind.group.endsWith('.k8s.io')
}
