import type { Host, Rule } from './rule.ts'

const SHORT_LENGTH = 8

/** MachineID: the whole /etc/machine-id, or exactly its first 8 characters (as fleet did). */
function is({ machine }: Host, wanted: string): boolean {
  const id = machine.status?.machineID
  return id !== undefined && (id === wanted || id.slice(0, SHORT_LENGTH) === wanted)
}

export const machineId: Rule = {
  name: 'machineID',
  fixed: true,
  keeps: true,
  check: ({ machineIds }) =>
    machineIds.length === 0
      ? undefined
      : {
          refuses: (host) => !machineIds.every((wanted) => is(host, wanted)),
          because: (host) => {
            const wanted = machineIds.find((id) => !is(host, id)) ?? ''
            const own = host.machine.status?.machineID
            return { reason: `not machine ${wanted}`, fix: `ask for ${own ? `MachineID=${own}` : 'another MachineID'}` }
          },
        },
}
