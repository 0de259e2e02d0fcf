/**
 * Machines with one machine ID, as cloned disks have it: what is pinned to the ID fits all of them, and fleetctl shows
 * one. fleet refused the second; here each says so, and runs what is placed on it by name.
 */
import type { Machine } from '../../crds/machine.ts'
import { findCondition } from '../lib/conditions.ts'

export const UNIQUE = 'UniqueMachineID'
const MAX_NAMED = 5

/** Say whether the machine's ID is its own. */
export interface Tell {
  readonly do: 'tell'
  readonly machine: Readonly<Machine>
  readonly status: 'True' | 'False'
  readonly reason: string
}

/** Only where something else is said now; a machine that never had a twin is not told that it has none. */
export function twins(machines: readonly Readonly<Machine>[]): Tell[] {
  const byId = grouped(machines)
  return machines.flatMap((machine): Tell[] => {
    const others = (byId.get(machine.status?.machineID ?? '') ?? []).filter((other) => other !== machine)
    const said = findCondition(machine.status?.conditions, UNIQUE)
    if (others.length === 0)
      return said?.status === 'False' ? [{ do: 'tell', machine, status: 'True', reason: 'no other has it' }] : []
    const reason = clash(others)
    return said?.status === 'False' && said.message === reason ? [] : [{ do: 'tell', machine, status: 'False', reason }]
  })
}

function grouped(machines: readonly Readonly<Machine>[]): ReadonlyMap<string, readonly Readonly<Machine>[]> {
  const byId = new Map<string, Readonly<Machine>[]>()
  for (const machine of machines) {
    const id = machine.status?.machineID
    if (!id) continue
    const group = byId.get(id) ?? []
    group.push(machine)
    byId.set(id, group)
  }
  return byId
}

function clash(others: readonly Readonly<Machine>[]): string {
  const names = others.map(({ metadata }) => metadata.name).toSorted()
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''
  const which = `${names.slice(0, MAX_NAMED).join(', ')}${more}`
  return `${which}: the same machine ID; on the clone empty /etc/machine-id, run systemd-machine-id-setup and reboot`
}
