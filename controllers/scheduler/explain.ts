/** Why an ask is on no machine: what each machine says. */
import type { Ask } from './ask.ts'
import { checksOf, refusal } from './choose.ts'
import type { HostRefusal } from './reasons.ts'
import { type From, refusedTogether } from './together.ts'
import type { MutableWorld } from './world.ts'

/** For one that is not placed and fits nowhere; by machine, in the order of their names. */
export function refusedBy(ask: Ask, group: readonly Ask[], from: From, world: MutableWorld): HostRefusal[] {
  const checks = checksOf(ask, world)
  return world.hosts.flatMap((host) => {
    const found = group.length > 1 ? refusedTogether(ask, group, host, from, world) : refusal(checks, host)
    return found ? { host: host.name, refusal: found } : []
  })
}
