/** What a key is to the projections: an object, a place where none can be, a directory that holds some, or nothing. */
import type { Failure } from '../failure.ts'
import { isBelow } from '../tree.ts'
import type { Projection } from './projection.ts'

export type Location =
  | { readonly is: 'object'; readonly projection: Projection }
  /** It is one of the directories, or holds them. */
  | { readonly is: 'above'; readonly projections: readonly Projection[] }
  | { readonly is: 'refused'; readonly why: Failure }
  | { readonly is: 'plain' }

export function locate(projections: readonly Projection[], key: string): Location {
  const above = projections.filter(({ directories }) => directories.some((each) => each === key || isBelow(each, key)))
  if (above.length > 0) return { is: 'above', projections: above }
  const projection = projections.find(({ directories }) => isBelow(key, directories[0]))
  const standing = projection?.standing(key) ?? 'plain'
  if (projection === undefined || standing === 'plain') return { is: 'plain' }
  return standing === 'object' ? { is: 'object', projection } : { is: 'refused', why: standing }
}

/** Whether `locate` may say anything but `plain`. Asked of every key that is written, so it copies nothing. */
export function isNear(projections: readonly Projection[], key: string): boolean {
  return projections.some(({ directories: [outer] }) =>
    key.length < outer.length
      ? outer[key.length] === '/' && outer.startsWith(key)
      : key.startsWith(outer) && (key.length === outer.length || key[outer.length] === '/'),
  )
}
