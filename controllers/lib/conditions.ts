import type { Condition } from '../../crds/metadata.ts'

/** What is to be said; the time is added when the status turns. */
export type NewCondition = Omit<Condition, 'lastTransitionTime'>

/** The list with `condition` in it. `lastTransitionTime` moves only when the status does; other types stay as they are. */
export function setCondition(list: readonly Condition[] | undefined, condition: NewCondition, now: Date): Condition[] {
  const before = findCondition(list, condition.type)
  const lastTransitionTime =
    before?.status === condition.status ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z')
  const after: Condition = { ...condition, lastTransitionTime }
  return before ? (list ?? []).map((c) => (c === before ? after : c)) : [...(list ?? []), after]
}

export function findCondition(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((condition) => condition.type === type)
}

/** True when saying `condition` again would change nothing that people see. */
export function saysAlready(list: readonly Condition[] | undefined, condition: NewCondition): boolean {
  const before = findCondition(list, condition.type)
  return (
    before?.status === condition.status && before.reason === condition.reason && before.message === condition.message
  )
}
