/** What Kubernetes' rules make of a graph of owners, worked out the slow way: until nothing changes any more. */
import type { Random } from '../../../support/random.ts'

export type Propagation = 'Background' | 'Foreground' | 'Orphan'

export interface Reference {
  readonly to: string
  readonly block: boolean
}

export interface Thing {
  readonly name: string
  /** '' is cluster-scoped. */
  readonly namespace: string
  /** By name; names are unique in the whole graph. */
  owners: Reference[]
}

export type Things = Map<string, Thing>

export const NOBODY = 'nobody'

/** A graph of so many things in two namespaces and outside, some of whose references lead nowhere. */
export function randomThings(count: number, random: Random): Things {
  const things: Things = new Map()
  for (let at = 0; at < count; at++) {
    const name = `thing-${at}`
    const namespace = random.pick(['a', 'a', 'a', 'b', ''])
    const owners = new Map<string, Reference>()
    for (let count = random.below(4); count > 0 && at > 0; count--) {
      const to = random.chance(0.08) ? NOBODY : `thing-${random.below(at)}`
      if (namespace !== '' || isClusterScoped(things, to) || random.chance(0.1))
        owners.set(to, { to, block: random.chance(0.6) })
    }
    things.set(name, { name, namespace, owners: [...owners.values()] })
  }
  return things
}

/** Some early things get a late one of the same namespace as owner: circles. */
export function closeCircles(things: Things, count: number, random: Random): Thing[] {
  const all = [...things.values()]
  const changed: Thing[] = []
  for (let at = 0; at < count; at++) {
    const [early, late] = [random.pick(all.slice(0, all.length / 2)), random.pick(all.slice(all.length / 2))]
    if (early.namespace !== late.namespace || early.owners.some(({ to }) => to === late.name)) continue
    early.owners = [...early.owners, { to: late.name, block: random.chance(0.6) }]
    changed.push(early)
  }
  return changed
}

function isClusterScoped(things: Things, name: string): boolean {
  return things.get(name)?.namespace === ''
}

/** `name` is deleted; then everything that follows from it. */
export function remove(things: Things, name: string, propagation: Propagation): void {
  things.delete(name)
  if (propagation === 'Orphan')
    for (const thing of things.values()) thing.owners = thing.owners.filter(({ to }) => to !== name)
}

/** `born`: every thing that ever was, so that a reference to one that is gone still has its place. */
export function settle(things: Things, born: ReadonlyMap<string, string>): void {
  for (let changed = true; changed; ) {
    changed = false
    for (const thing of [...things.values()]) {
      const states = thing.owners.map(({ to }) => stateOf(things, born, thing, to))
      if (states.length === 0 || states.includes('unknown') || !states.includes('gone')) continue
      changed = true
      if (states.includes('lives')) thing.owners = thing.owners.filter((_, at) => states[at] === 'lives')
      else things.delete(thing.name)
    }
  }
}

function stateOf(things: Things, born: ReadonlyMap<string, string>, { namespace }: Thing, to: string) {
  const place = born.get(to)
  if (place === undefined) return namespace === '' ? 'unknown' : 'gone'
  if (place !== '' && namespace === '') return 'unknown'
  if (place !== '' && place !== namespace) return 'gone'
  return things.has(to) ? 'lives' : 'gone'
}

/** One line a thing, for comparing. */
export function written(things: Iterable<Thing>): string[] {
  return [...things].map(({ name, owners }) => `${name} <- ${owners.map(({ to }) => to).join(' ')}`).sort()
}
