/** Whether a world that is kept has gone astray: counts everything anew and compares. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import type { Ask } from './ask.ts'
import type { Host } from './rules/rule.ts'

export interface Kept {
  readonly hosts: readonly Host[]
  readonly hostOf: (ask: Ask) => Host | undefined
  readonly unitNamed: (name: string) => { readonly unit: Readonly<Unit>; readonly ask: Ask | undefined } | undefined
  readonly size: number
}

/** The first thing that is wrong, in words; undefined: nothing. */
export function driftOf(
  kept: Kept,
  machines: readonly Readonly<Machine>[],
  units: readonly Readonly<Unit>[],
): string | undefined {
  if (kept.hosts.length !== machines.length) return `${kept.hosts.length} machines, should be ${machines.length}`
  if (kept.size !== units.length) return `${kept.size} units, should be ${units.length}`
  const known = new Map(kept.hosts.map((host) => [host.name, host]))
  for (const machine of machines)
    if (known.get(machine.metadata.name)?.machine !== machine) return `machine ${machine.metadata.name} is not as it is`
  const asks: Ask[] = []
  for (const unit of units) {
    const entry = kept.unitNamed(unit.metadata.name)
    if (entry?.unit !== unit) return `unit ${unit.metadata.name} is not as it is`
    if (entry.ask) asks.push(entry.ask)
  }
  return wrongCount(kept, asks)
}

function wrongCount({ hosts, hostOf }: Kept, asks: readonly Ask[]): string | undefined {
  const counts = new Map<Host, number>()
  const used = new Map<string, number>()
  for (const ask of asks) {
    const host = hostOf(ask)
    if (!host) continue
    counts.set(host, (counts.get(host) ?? 0) + 1)
    for (const [name, amount] of ask.requests) {
      const key = `${host.name} ${name}`
      used.set(key, (used.get(key) ?? 0) + amount)
    }
  }
  for (const host of hosts) {
    const count = counts.get(host) ?? 0
    if (host.count !== count) return `${host.count} units on ${host.name}, should be ${count}`
    for (const [name, amount] of host.used)
      if (amount !== (used.get(`${host.name} ${name}`) ?? 0)) return `${amount} of ${name} used on ${host.name}`
  }
  return undefined
}
