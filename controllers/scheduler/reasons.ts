/** Refusals of many machines in one sentence of bounded length. */
import type { NewCondition } from '../lib/conditions.ts'
import type { Refusal } from './rules/rule.ts'

export const SCHEDULED = 'Scheduled'

/** Up to so many machines are named one by one; of more, those with the same reason are counted. */
const MAX_NAMED = 10
const MAX_REASONS = 10
const MAX_REASON_LENGTH = 200

export interface HostRefusal {
  readonly host: string
  readonly refusal: Pick<Refusal, 'reason'>
}

export function unplaceable(refusals: readonly HostRefusal[]): NewCondition {
  const total = refusals.length
  const details =
    total > MAX_NAMED ? counted(refusals) : refusals.map(({ host, refusal }) => `${host}: ${cut(refusal)}`)
  const message = `0 of ${total} machines can take it${total > 0 ? `: ${details.join('; ')}` : ''}`
  return { type: SCHEDULED, status: 'False', reason: total > 0 ? 'NoMachineFits' : 'NoMachines', message }
}

function counted(refusals: readonly HostRefusal[]): string[] {
  const counts = new Map<string, number>()
  for (const { refusal } of refusals) counts.set(refusal.reason, (counts.get(refusal.reason) ?? 0) + 1)
  const reasons = [...counts].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  const rest = reasons.slice(MAX_REASONS)
  const others = rest.reduce((sum, [, count]) => sum + count, 0)
  return [
    ...reasons.slice(0, MAX_REASONS).map(([reason, count]) => `${count} of them: ${cut({ reason })}`),
    ...(rest.length > 0 ? [`${others} more for ${rest.length} other reasons`] : []),
  ]
}

function cut({ reason }: Pick<Refusal, 'reason'>): string {
  return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH - 1)}…` : reason
}
