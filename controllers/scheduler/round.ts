/** What one round decides: placements, what is taken off, and what is said of those that wait. */
import type { Unit } from '../../crds/unit.ts'
import { isParent } from '../../crds/unit-set.ts'
import type { NewCondition } from '../lib/conditions.ts'
import { unsaid } from './conditions.ts'
import { type About, type Move, placeAll, type Task } from './place.ts'

export type Action = Move | (About & { readonly do: 'explain'; readonly conditions: readonly NewCondition[] })

export interface Round extends Task {
  readonly unbinding: readonly Readonly<Unit>[]
  readonly unexplained: readonly Readonly<Unit>[]
  /** Whether a unit may be told in other words what it was told already. */
  readonly mayReword: (unit: Readonly<Unit>) => boolean
}

/** The decisions are taken in the world that is handed in: what is decided counts as done. */
export function planRound(round: Round): Action[] {
  const { unbinding, unexplained, mayReword } = round
  const decisions = placeAll(round)
  const decided = new Set(unexplained.length > 0 ? decisions.map(({ unit }) => unit) : [])
  return [
    ...decisions.flatMap((each) => (each.do === 'wait' ? explain(each.unit, mayReword, each.condition) : each)),
    ...unbinding.map(unbind),
    ...unexplained.flatMap((unit) => (decided.has(unit) ? [] : explain(unit, mayReword))),
  ].sort((a, b) => (a.unit.metadata.name < b.unit.metadata.name ? -1 : 1))
}

const NOTHING: readonly Action[] = []

function unbind(unit: Readonly<Unit>): Action {
  const reason = isParent(unit) ? 'its instances are placed, not it' : 'desiredState is inactive'
  return { do: 'unbind', unit, machine: unit.spec.machineName ?? '', reason }
}

function explain(unit: Readonly<Unit>, mayReword: Round['mayReword'], scheduled?: NewCondition): readonly Action[] {
  const news = unsaid(unit, scheduled)
  const [first] = news?.conditions ?? []
  if (!news || !first || (news.isRewording && !mayReword(unit))) return NOTHING
  return [{ do: 'explain', unit, conditions: news.conditions, reason: first.message }]
}
