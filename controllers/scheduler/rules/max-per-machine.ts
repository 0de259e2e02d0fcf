import type { Rule } from './rule.ts'

/** At most so many that count together: instances of one template, or those with the same value of a label. */
export const maxPerMachine: Rule = {
  name: 'maxPerMachine',
  fixed: false,
  keeps: false,
  check: ({ maxPerMachine: most, group }, world) =>
    most === undefined
      ? undefined
      : {
          refuses: (host) => world.groupOn(group, host) >= most,
          because: (host) => ({
            reason: `has ${most} of these already`,
            fix: `raise maxPerMachine above ${world.groupOn(group, host)}, or add a machine`,
          }),
        },
}
