import { compileGlob } from '../../../crds/glob.ts'
import type { Ask } from '../ask.ts'
import type { Host, Rule, World } from './rule.ts'

/**
 * Replaces: what is replaced moves away, and does not come where its replacer is; the replacer stays. (fleet moved
 * whichever it looked at first.) Those that replace each other may share a machine, and so may what follows another by
 * MachineOf, by whatever way round: it would drive it on for ever.
 */
export const replaces: Rule = {
  name: 'replaces',
  fixed: false,
  keeps: true,
  check: (ask, world) => {
    const against = world.patternsFor(ask.alias)
    if (against.length === 0) return undefined
    return {
      refuses: (host) => replacerOn(host, ask, against, world) !== undefined,
      because: (host) => {
        const other = replacerOn(host, ask, against, world) ?? ''
        return { reason: `replaced by ${other}`, fix: `take ${other} off ${host.name}, or out of Replaces` }
      },
    }
  },
}

function replacerOn(host: Host, ask: Ask, against: readonly string[], world: World): string | undefined {
  let first: string | undefined
  for (const pattern of against)
    for (const name of host.having('replaces', pattern))
      if (name !== ask.name && (first === undefined || name < first) && !mayShare(ask, name, world)) first = name
  return first
}

function mayShare(ask: Ask, replacer: string, world: World): boolean {
  const other = world.askNamed(replacer)
  if (!other) return false
  return ask.replaces.some((pattern) => compileGlob(pattern)(other.alias)) || follows(other, ask, world)
}

function follows(follower: Ask, leader: Ask, world: World): boolean {
  const seen = new Set<Ask>()
  const open = [follower]
  for (let ask = open.pop(); ask; ask = open.pop()) {
    if (seen.has(ask)) continue
    seen.add(ask)
    if (ask.peers.some((peer) => peer === leader.name || peer === leader.alias)) return true
    open.push(...ask.peers.flatMap((peer) => world.askNamed(peer) ?? []))
  }
  return false
}
