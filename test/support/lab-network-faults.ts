/**
 * Cuts in a lab's network, made at its bridge: frames of the machine's port are dropped, so that the machine itself sees
 * nothing but silence, and a cut outlasts its reboots. All of it lies in the lab's own network namespace and goes with it.
 */
import { must } from '../../node-agent/lab/command.ts'
import { type LabNames, machineNetns, machinePort } from '../../node-agent/lab/names.ts'

/** `in`: nothing reaches the machine. `out`: nothing that it sends arrives. */
export type Cut = 'in' | 'out' | 'both'

export interface NetworkFaults {
  /** Replaces an earlier cut of this machine. */
  cut(machine: string, way: Cut): Promise<void>
  heal(machine: string): Promise<void>
  /** Between the control plane and all machines; the machines still reach each other. */
  cutControlPlane(way?: Cut): Promise<void>
  healAll(): Promise<void>
}

export function networkFaults(names: Promise<LabNames>): NetworkFaults {
  const cuts = new Map<string, Cut>()
  const ports = new Map<string, string>()
  const portOf = async (machine: string): Promise<string> => {
    const port = ports.get(machine) ?? machinePort(await names, await hostNumber(await names, machine))
    ports.set(machine, port)
    return port
  }
  const apply = async () => void (await must('ip', inBridge(await names), { input: ruleset(cuts) }))
  return {
    cut: async (machine, way) => {
      cuts.set(await portOf(machine), way)
      await apply()
    },
    heal: async (machine) => {
      if (cuts.delete(await portOf(machine))) await apply()
    },
    cutControlPlane: async (way = 'both') => {
      cuts.set((await names).rootPort, way)
      await apply()
    },
    healAll: async () => {
      if (cuts.size === 0) return
      cuts.clear()
      await apply()
    },
  }
}

function inBridge({ prefix }: LabNames): string[] {
  return ['netns', 'exec', prefix, 'nft', '--file', '-']
}

/** The last byte of its address, which the lab names its port by. */
async function hostNumber(names: LabNames, machine: string): Promise<number> {
  const text = await must('ip', ['-n', machineNetns(names, machine), '-4', '-oneline', 'address', 'show', 'eth0'])
  const number = /inet \d+\.\d+\.\d+\.(\d+)\//.exec(text)?.[1]
  if (number === undefined) throw new Error(`${machine} has no address: ${text}`)
  return Number(number)
}

/** One transaction: what was cut before is replaced as a whole. */
function ruleset(cuts: ReadonlyMap<string, Cut>): string {
  const rules = [...cuts].flatMap(([port, way]) => [
    ...(way === 'in' ? [] : [`iifname "${port}" drop`]),
    ...(way === 'out' ? [] : [`oifname "${port}" drop`]),
  ])
  const chain = ['type filter hook forward priority 0; policy accept;', ...rules].join('\n')
  return `add table bridge faults\ndelete table bridge faults\ntable bridge faults {\nchain forward {\n${chain}\n}\n}\n`
}
