/**
 * Ownership after a create, an update or any patch but apply: whoever changes a field takes it from all others, and what
 * is gone nobody owns any more. Pure; the clock is an argument.
 */
import { type Comparison, isNothing } from './compare.ts'
import { type Entry, entryOf, isOwnedBy, type Owner, sortEntries, withFields } from './entries.ts'
import { difference, type FieldSet, isEmpty, union } from './field-set.ts'

export interface Update {
  /** What the write did to the object. */
  readonly change: Comparison
  /** The object is being made. */
  readonly isNew: boolean
  readonly entries: readonly Entry[]
  readonly owner: Owner
  /** RFC 3339, whole seconds. */
  readonly time: string
}

/** So many Update entries are kept apart; the oldest beyond them become one, or an object grew with every client. */
export const MAX_UPDATE_ENTRIES = 10
const ANCIENT = 'ancient-changes'

/** `entries` itself when nobody's ownership, and no time, is other than before. */
export function entriesAfterUpdate({ change, isNew, entries, owner, time }: Update): readonly Entry[] {
  // Where nobody is tracked, nobody was wanted to be: only an apply, or a new object, begins.
  if ((entries.length === 0 && !isNew) || isNothing(change)) return entries
  const { changed, removed } = change
  const others = entries.filter((entry) => !isOwnedBy(entry, owner))
  const own = entries.find((entry) => isOwnedBy(entry, owner))
  const left = others.flatMap((entry) => withFields(entry, difference(lessOf(entry, changed), removed)) ?? [])
  const mine = afterOwnUpdate(own, changed, removed, owner, time)
  return capped(sortEntries(mine ? [...left, mine] : left))
}

function lessOf({ fieldsV1 }: Entry, changed: FieldSet): FieldSet {
  return difference(fieldsV1, changed)
}

function afterOwnUpdate(
  own: Entry | undefined,
  changed: FieldSet,
  removed: FieldSet,
  owner: Owner,
  time: string,
): Entry | undefined {
  if (own === undefined) return isEmpty(changed) ? undefined : entryOf(owner, time, changed)
  const fields = union(difference(own.fieldsV1, removed), changed)
  const entry = withFields(own, fields)
  return entry === undefined || isEmpty(changed) || entry.time === time ? entry : { ...entry, time }
}

/** The oldest Update entries of one version are merged until there are few enough. */
function capped(entries: readonly Entry[]): readonly Entry[] {
  const updates = entries.filter(({ operation }) => operation === 'Update')
  let surplus = updates.length - MAX_UPDATE_ENTRIES
  if (surplus <= 0) return entries
  // Sorted by time: what comes first is oldest.
  const ancient = new Map<string, Entry>()
  const gone = new Set<Entry>()
  for (const entry of updates) {
    if (surplus <= 0) break
    const bucket = ancient.get(entry.apiVersion)
    gone.add(entry)
    if (bucket !== undefined) surplus--
    ancient.set(entry.apiVersion, mergedInto(bucket, entry))
  }
  const buckets = [...ancient.values()]
  return sortEntries([...entries.filter((entry) => !gone.has(entry)), ...buckets])
}

/** The first of a version stays what it is until another joins it. */
function mergedInto(bucket: Entry | undefined, entry: Entry): Entry {
  if (bucket === undefined) return entry
  const { apiVersion, time = '' } = entry
  const owner: Owner = { manager: ANCIENT, operation: 'Update', apiVersion }
  return entryOf(owner, time, union(bucket.fieldsV1, entry.fieldsV1))
}
