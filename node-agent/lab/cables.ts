/** Faults in the lab's network: one machine's cable pulled, or two machines that cannot reach each other. */
import type { InOrder } from './in-order.ts'
import type { LabNames } from './names.ts'
import { type Plug, setBlocked, setCable } from './network.ts'

/** A machine as the network sees it. What is set here is applied again whenever the machine is plugged in anew. */
export interface Cable {
  readonly plug: Plug
  readonly faults: { cut: boolean; readonly blocked: Set<number> }
  readonly queue: InOrder
}

export interface Cables {
  cut(cable: Cable): Promise<void>
  /** Plugs it in and lifts every block between it and others. */
  heal(cable: Cable): Promise<void>
  isolate(cable: Cable, peers: readonly Cable[]): Promise<void>
}

export function cables(names: LabNames, network: number, all: () => Iterable<Cable>): Cables {
  const block = (cable: Cable, hosts: readonly number[], blocked: boolean): Promise<void> =>
    cable.queue(async () => {
      for (const host of hosts) blocked ? cable.faults.blocked.add(host) : cable.faults.blocked.delete(host)
      await setBlocked(names, network, cable.plug, hosts, blocked)
    })
  const plug = (cable: Cable, plugged: boolean): Promise<void> =>
    cable.queue(async () => {
      cable.faults.cut = !plugged
      await setCable(names, cable.plug, plugged)
    })
  /** Both ways: an address that is blocked on one side only could still send. */
  const blockPairs = async (cable: Cable, peers: readonly Cable[], blocked: boolean): Promise<void> => {
    const others = peers.filter((peer) => peer !== cable)
    const mine = cable.plug.hostNumber
    const numbers = others.map((peer) => peer.plug.hostNumber)
    await Promise.all([block(cable, numbers, blocked), ...others.map((peer) => block(peer, [mine], blocked))])
  }
  return {
    cut: (cable) => plug(cable, false),
    heal: async (cable) => {
      await plug(cable, true)
      const blocked = [...all()].filter((peer) => cable.faults.blocked.has(peer.plug.hostNumber))
      await blockPairs(cable, blocked, false)
    },
    isolate: (cable, peers) => blockPairs(cable, peers, true),
  }
}
