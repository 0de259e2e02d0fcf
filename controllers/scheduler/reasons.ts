/** Refusals of many machines in one sentence of bounded length. */
import type { NewCondition } from '../lib/conditions.ts'

export const SCHEDULED = 'Scheduled'

/** Up to so many machines are named one by one; of more, those with the same reason are counted. */
const MAX_NAMED = 10
const MAX_REASONS = 10
const MAX_REASON_LENGTH = 200

/** A reason, and how many machines give it. */
export interface Told {
  readonly text: string
  readonly count: number
}

/** `named`: what each machine says, in the order of their names; asked for only where they are few. */
export function unplaceable(
  total: number,
  told: Iterable<Told>,
  named: () => Iterable<{ readonly host: string; readonly reason: string }>,
): NewCondition {
  const details =
    total > MAX_NAMED ? counted([...told]) : Array.from(named(), ({ host, reason }) => `${host}: ${cut(reason)}`)
  const message = `0 of ${total} machines can take it${total > 0 ? `: ${details.join('; ')}` : ''}`
  return { type: SCHEDULED, status: 'False', reason: total > 0 ? 'NoMachineFits' : 'NoMachines', message }
}

function counted(told: Told[]): string[] {
  const reasons = told.sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1))
  const rest = reasons.slice(MAX_REASONS)
  const others = rest.reduce((sum, { count }) => sum + count, 0)
  return [
    ...reasons.slice(0, MAX_REASONS).map(({ text, count }) => `${count} of them: ${cut(text)}`),
    ...(rest.length > 0 ? [`${others} more for ${rest.length} other reasons`] : []),
  ]
}

function cut(reason: string): string {
  return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH - 1)}…` : reason
}
