/** Who may have become unable to stay where it is, because something came to its machine. */
import type { Ask } from './ask.ts'
import type { Host } from './rules/rule.ts'

/** `against`: the patterns that match what came. */
export function* suspectsOf(came: Ask, host: Host, against: readonly string[]): Iterable<string> {
  yield came.name
  for (const pattern of came.conflicts) yield* host.matching(pattern)
  for (const pattern of came.replaces) yield* host.matching(pattern)
  for (const pattern of against) yield* host.having('conflicts', pattern)
}
