/** The machines of the scheduler's world, always in the order of their names. */
import type { Machine } from '../../crds/machine.ts'
import { createHost, type factsIn, type MutableHost } from './host.ts'

export interface Machines {
  readonly hosts: readonly MutableHost[]
  named(name: string): MutableHost | undefined
  add(machine: Readonly<Machine>): MutableHost
  /** Takes over what the machine says now. */
  update(host: MutableHost, facts: ReturnType<typeof factsIn>): void
  remove(host: MutableHost): void
}

export function createMachines(): Machines {
  const hosts: MutableHost[] = []
  /** Of hosts that are gone. */
  const freed: number[] = []
  const byName = new Map<string, MutableHost>()
  const numberFrom = (first: number): void => {
    for (const [offset, host] of hosts.slice(first).entries()) host.index = first + offset
  }
  return {
    hosts,
    named: (name) => byName.get(name),
    add: (machine) => {
      const host = createHost(machine, freed.pop() ?? hosts.length)
      const at = placeOf(hosts, host.name)
      hosts.splice(at, 0, host)
      byName.set(host.name, host)
      numberFrom(at)
      return host
    },
    update: (host, facts) => void Object.assign(host, facts),
    remove: (host) => {
      hosts.splice(host.index, 1)
      byName.delete(host.name)
      freed.push(host.slot)
      numberFrom(host.index)
    },
  }
}

function placeOf(hosts: readonly MutableHost[], name: string): number {
  let [low, high] = [0, hosts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((hosts[middle]?.name ?? '') < name) low = middle + 1
    else high = middle
  }
  return low
}
