import { findCondition } from '../../lib/conditions.ts'
import type { Host, Rule } from './rule.ts'

const isReady = ({ machine }: Host): boolean => findCondition(machine.status?.conditions, 'Ready')?.status === 'True'

/** Only a machine whose agent says it is ready gets anything. */
export const ready: Rule = {
  name: 'ready',
  fixed: true,
  keeps: false,
  check: () => ({
    refuses: (host) => !isReady(host),
    because: ({ name, machine }) => {
      const condition = findCondition(machine.status?.conditions, 'Ready')
      const reason = condition ? `not ready (${condition.reason})` : 'not ready (its agent has not reported yet)'
      return { reason, fix: `get ${name} ready: flotilla why machine/${name}` }
    },
  }),
}
