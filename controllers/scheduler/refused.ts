/**
 * What every machine says to asks that none of them takes. Asks that are alike share the answers, and machines that
 * nothing happened on are not asked again: a unit that waits costs next to nothing until something changes that could
 * help it, or change what it is told.
 */
import type { NewCondition } from '../lib/conditions.ts'
import type { Ask } from './ask.ts'
import { type Told, unplaceable } from './reasons.ts'
import type { Host } from './rules/rule.ts'
import type { MutableWorld } from './world.ts'

/** Why the machine does not take it; undefined: it does. */
export type Judge = (host: Host) => string | undefined

export interface Refused {
  /** Who waits, with those it can only be placed together with. */
  readonly group: readonly Ask[]
  readonly ask: Ask
  readonly judge: () => Judge
}

export interface Refusals {
  /** What is to be said of it; undefined when some machine may take it, or when that is not known any more. */
  known(refused: Refused): NewCondition | undefined
  /** No machine takes it: asks them all. */
  learn(refused: Refused): NewCondition
  /** Forgets whom nobody asked about since the last call. */
  tidy(): void
}

/** Answers kept of all who wait: 8 bytes each. */
const MOST_ANSWERS = 5_000_000

export function createRefusals(world: MutableWorld): Refusals {
  let kept = new Map<string | Ask, Answers>()
  let asked = new Map<string | Ask, Answers>()
  const find = (key: string | Ask): Answers | undefined => {
    const now = asked.get(key)
    if (now) return now
    const answers = kept.get(key)
    if (answers) asked.set(key, answers)
    return answers
  }
  return {
    known: (refused) => {
      const key = keyOf(refused, world)
      const answers = find(key)
      if (!answers) return undefined
      const condition = answers.renew(refused)
      if (condition) return condition
      asked.delete(key)
      kept.delete(key)
      return undefined
    },
    learn: (refused) => {
      const answers = createAnswers(world)
      if (asked.size * world.hosts.length < MOST_ANSWERS) asked.set(keyOf(refused, world), answers)
      return answers.ask(refused)
    },
    tidy: () => {
      kept = asked
      asked = new Map()
    },
  }
}

/** Alike for asks to which every machine says the same, in the same words. */
function keyOf({ ask, group }: Refused, world: MutableWorld): string | Ask {
  if (group.length > 1 || world.patternsFor(ask.alias).length > 0) return ask
  const known = keys.get(ask)
  if (known !== undefined) return known
  const { signature, requestsKey, peers, conflicts, spread, maxPerMachine, group: counted } = ask
  const isCounted = spread.length > 0 || maxPerMachine !== undefined
  const key = JSON.stringify([signature, requestsKey, peers, conflicts, isCounted && [spread, maxPerMachine, counted]])
  keys.set(ask, key)
  return key
}

const keys = new WeakMap<Ask, string>()

interface Answers {
  ask(refused: Refused): NewCondition
  /** Asks those again that something happened on; undefined: one of them takes it, or all would have to be asked. */
  renew(refused: Refused): NewCondition | undefined
}

function createAnswers(world: MutableWorld): Answers {
  const { touched } = world.journals
  const tally = createTally()
  let [readTo, stamp] = [0, 0]
  let condition: NewCondition | undefined
  const say = (): NewCondition => {
    condition ??= unplaceable(world.hosts.length, tally.told(), () =>
      world.hosts.map((host) => ({ host: host.name, reason: tally.of(host) })),
    )
    return condition
  }
  /** False as soon as one takes it. */
  const judgeAll = (hosts: Iterable<Host>, refused: Refused): boolean => {
    const judge = refused.judge()
    for (const host of hosts) {
      const isGone = world.hosts[host.index] !== host
      const text = isGone ? undefined : judge(host)
      if (text === undefined && !isGone) return false
      // The same condition as long as nothing else is said: who was told need not be looked at again.
      if (tally.set(host, text)) condition = undefined
    }
    return true
  }
  return {
    ask: (refused) => {
      readTo = touched.head
      stamp = stampOf(refused, world)
      judgeAll(world.hosts, refused)
      return say()
    },
    renew: (refused) => {
      const changed = touched.since(readTo)
      if (!changed || stamp !== stampOf(refused, world)) return undefined
      readTo = touched.head
      return changed.size === 0 || judgeAll(changed, refused) ? say() : undefined
    },
  }
}

interface Counted extends Told {
  count: number
}

/** What each machine says, each text kept once. */
function createTally() {
  const told = new Map<string, Counted>()
  const bySlot: (Counted | undefined)[] = []
  return {
    told: (): Iterable<Told> => told.values(),
    of: ({ slot }: Host): string => bySlot[slot]?.text ?? '',
    /** False: it said so before. */
    set: ({ slot }: Host, text: string | undefined): boolean => {
      const before = bySlot[slot]
      if (before?.text === text) return false
      if (before && --before.count === 0) told.delete(before.text)
      bySlot[slot] = undefined
      if (text === undefined) return true
      const same = told.get(text) ?? { text, count: 0 }
      same.count++
      told.set(text, same)
      bySlot[slot] = same
      return true
    },
  }
}

function stampOf({ group }: Refused, world: MutableWorld): number {
  let stamp = group.length > 1 ? world.asksVersion : 0
  for (const ask of group) stamp += world.stampOf(ask)
  return stamp
}
