import type { Rule } from './rule.ts'

/** A cordoned machine keeps what it has and gets nothing new; a machine that is being deleted likewise. */
export const schedulable: Rule = {
  name: 'schedulable',
  fixed: true,
  keeps: false,
  check: () => ({
    refuses: ({ machine }) => Boolean(machine.metadata.deletionTimestamp || machine.spec?.unschedulable),
    because: ({ name, machine }) =>
      machine.metadata.deletionTimestamp
        ? { reason: 'being deleted', fix: `add another machine: ${name} is being deleted` }
        : {
            reason: 'cordoned',
            fix: `kubectl uncordon ${name}`,
          },
  }),
}
