/**
 * Server-side apply. The configuration says all that its manager wants to say: it becomes so, unless others manage what
 * would change; what the manager said before and says no more goes away, unless others manage it too. Pure; the clock
 * is an argument.
 */
import { badRequest } from '../errors.ts'
import { allFields, type Comparison, compare, isNothing } from './compare.ts'
import { type Conflict, conflictError, conflictsWith, withoutFields } from './conflicts.ts'
import { type Entry, entryOf, isOwnedBy, type Owner, sortEntries, withFields } from './entries.ts'
import { difference, EMPTY, type FieldSet, isEmpty, union } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import { merge } from './merge.ts'
import { prune } from './remove.ts'
import { isMap, type MapType } from './schema.ts'

export interface Apply {
  readonly type: MapType
  /** Undefined: the object is being made. */
  readonly live: Readonly<Record<string, unknown>> | undefined
  readonly config: Readonly<Record<string, unknown>>
  readonly entries: readonly Entry[]
  readonly owner: Owner
  /** Take what others manage. */
  readonly force: boolean
  /** Fields that may be taken without force; asked where something would be. */
  readonly allowed?: () => FieldSet
  /** RFC 3339, whole seconds. */
  readonly time: string
  /** What the object is, for error messages: `default/web; flotilla.dev/v1, Kind=Unit`. */
  readonly title: string
}

export interface Applied {
  readonly object: Readonly<Record<string, unknown>>
  readonly entries: readonly Entry[]
}

const BEFORE_FIRST_APPLY = 'before-first-apply'

/** Neither object is changed. Throws 409 with every conflict, and 400 for a configuration that cannot be merged. */
export function applyConfiguration(apply: Apply): Applied {
  const { type, live, config, owner, time } = apply
  const { set, problems } = fieldsOf(type, config)
  if (problems.length > 0)
    throw badRequest(`failed to create typed patch object (${apply.title}): ${problems.join('\n')}`)
  const entries = trackedEntries(apply)
  const own = entries.find((entry) => isOwnedBy(entry, owner))
  const others = entries.filter((entry) => !isOwnedBy(entry, owner))
  const owned = others.reduce((all, { fieldsV1 }) => union(all, fieldsV1), set)
  const pruned = prune(type, merge(type, live, config), own?.fieldsV1 ?? EMPTY, owned)
  const object = isMap(pruned) ? pruned : {}
  const change = compare(type, live, object)
  const conflicts = conflictsWith(others, change.changed)
  refuse(conflicts, apply)
  const mine = afterOwnApply(own, set, change, owner, time)
  return { object, entries: sortEntries([...lessen(others, conflicts, change), ...mine]) }
}

/** An object that nobody is known to manage belongs to whoever was there before the first apply. */
function trackedEntries({ type, live, entries, owner, time }: Apply): readonly Entry[] {
  if (entries.length > 0 || live === undefined) return entries
  const before: Owner = { manager: BEFORE_FIRST_APPLY, operation: 'Update', apiVersion: owner.apiVersion }
  const fields = allFields(type, live)
  return isEmpty(fields) ? entries : [entryOf(before, time, fields)]
}

function refuse(conflicts: readonly Conflict[], { force, allowed }: Apply): void {
  if (force || conflicts.length === 0) return
  const real = withoutFields(conflicts, allowed?.() ?? EMPTY)
  if (real.length > 0) throw conflictError(real)
}

function lessen(others: readonly Entry[], conflicts: readonly Conflict[], { removed }: Comparison): Entry[] {
  const taken = new Map(conflicts.map(({ entry, fields }) => [entry, fields]))
  return others.flatMap(
    (entry) => withFields(entry, difference(difference(entry.fieldsV1, taken.get(entry) ?? EMPTY), removed)) ?? [],
  )
}

/** The manager owns what it said, no more and no less. Its time is kept where neither that nor a value is new. */
function afterOwnApply(own: Entry | undefined, set: FieldSet, change: Comparison, owner: Owner, time: string): Entry[] {
  if (isEmpty(set)) return []
  const isSame =
    own !== undefined &&
    own.apiVersion === owner.apiVersion &&
    isEmpty(difference(own.fieldsV1, set)) &&
    isEmpty(difference(set, own.fieldsV1))
  if (isSame && isNothing(change)) return [own]
  return [entryOf(owner, time, set)]
}
