import type { Host, Rule, World } from './rule.ts'

/**
 * MachineOf: only where every named unit is placed, whatever its state there (as fleet did). Names are exact. Those that
 * name each other are placed together (see together.ts), which fleet could not do.
 */
export const machineOf: Rule = {
  name: 'machineOf',
  fixed: false,
  keeps: true,
  check: ({ peers }, world) =>
    peers.length === 0
      ? undefined
      : {
          refuses: (host) => !peers.every((peer) => world.placedAs(peer).has(host)),
          because: (host) => missing(peers, world, host),
        },
}

function missing(peers: readonly string[], world: World, host: Host): { reason: string; fix: string } {
  const peer = peers.find((each) => !world.placedAs(each).has(host)) ?? ''
  const [first, ...more] = [...world.placedAs(peer)].map(({ name }) => name).toSorted()
  if (first === undefined)
    return { reason: `${peer} is not placed`, fix: `have ${peer} placed: flotilla why unit/${peer}` }
  const where = more.length > 0 ? `${first} and ${more.length} more` : first
  return { reason: `${peer} is on ${where}`, fix: `take out MachineOf=${peer}` }
}
