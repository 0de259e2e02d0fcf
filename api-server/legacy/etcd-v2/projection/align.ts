/** Whether a node says what its object says, and the change that makes it so: one event, none where it does already. */
import { isDeepStrictEqual } from 'node:util'
import type { Draft } from '../draft.ts'
import { type Failure, isFailure } from '../failure.ts'
import type { Node } from '../node.ts'
import { decide, type Write } from '../operations.ts'
import type { Claim } from './claims.ts'

/** Wordings that were compared already, while neither changes. */
const proven = new WeakMap<Claim, string>()

/** A client's own wording counts as long as it means the object as it is. */
export function isAligned(node: Node | undefined, claim: Claim | undefined): boolean {
  if (claim === undefined || node === undefined) return claim === undefined && node === undefined
  const { projection, object, node: shown } = claim
  if (node.value === undefined || node.expires !== shown.expires) return false
  if (node.value === shown.value || node.value === proven.get(claim)) return true
  const value = Buffer.from(node.value, 'latin1').toString('utf8')
  const meant = projection.toObject({ key: node.key, value, expires: node.expires }, object, () => undefined)
  if (!isDeepStrictEqual(meant, object)) return false
  proven.set(claim, node.value)
  return true
}

const WRITE = { dir: false, recursive: false, value: '', refresh: false, prevValue: '', prevIndex: 0n }

/** A failure where something that is not a directory is in the way; undefined: changed. */
export function alignNode(
  draft: Draft,
  key: string,
  claim: Claim | undefined,
  nowMs: number,
): Failure | 'aligned' | undefined {
  const node = draft.get(key)
  if (isAligned(node, claim)) return 'aligned'
  const isInTheWay = node !== undefined && (claim === undefined || node.value === undefined)
  if (isInTheWay) apply(draft, { ...WRITE, do: 'delete', key, dir: true, recursive: true, expires: undefined }, nowMs)
  if (claim === undefined) return undefined
  const { value, expires } = claim.node
  // An update keeps the index of its creation: it is still the same object.
  const verb = draft.get(key) === undefined ? 'create' : 'update'
  return apply(draft, { ...WRITE, do: verb, key, value, expires }, nowMs)
}

function apply(draft: Draft, write: Write, nowMs: number): Failure | undefined {
  const done = decide(draft, write, nowMs)
  return done !== undefined && isFailure(done) ? done : undefined
}
