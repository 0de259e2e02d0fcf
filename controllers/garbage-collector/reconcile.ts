/** One object: look at its owners and dependents, decide, do it. */
import type { Clock } from '../lib/clock.ts'
import { forEachConcurrently } from '../lib/concurrent.ts'
import { DONE, type Reconcile } from '../lib/controller.ts'
import { apply, type Client } from './apply.ts'
import type { Graph } from './graph.ts'
import { type Item, isHeld, ORPHAN } from './item.ts'
import type { Kinds } from './kinds.ts'
import type { Owners } from './owners.ts'
import { type Observed, plan } from './plan.ts'

export interface ReconcileDeps {
  readonly client: Client
  readonly graph: Pick<Graph, 'get' | 'dependentsOf'>
  readonly owners: Pick<Owners, 'state'>
  readonly kinds: Pick<Kinds, 'isComplete'>
  readonly clock: Clock
}

const WRITES_AT_ONCE = 16
const LOOK_AGAIN_AFTER_MS = 50

/** The request's name is an item's id. */
export function createReconcile(deps: ReconcileDeps): Reconcile {
  const { client, graph, clock } = deps
  const hasSettled = createSettling(clock)
  return async ({ name }, { signal, log }) => {
    const item = graph.get(name)
    const observed = item && (await observe(deps, item, signal))
    if (!hasSettled(name, observed)) return { requeueAfterMs: LOOK_AGAIN_AFTER_MS }
    if (observed === undefined) return DONE
    if (needsEveryKind(observed) && !deps.kinds.isComplete()) return { requeueAfterMs: LOOK_AGAIN_AFTER_MS }
    await forEachConcurrently(plan(observed), WRITES_AT_ONCE, async (action) => {
      await apply(client, action, signal)
      const { id, uid } = action.item
      log.info({ do: action.do, item: id, uid, reason: action.reason }, 'action applied')
    })
    return DONE
  }
}

async function observe({ graph, owners }: ReconcileDeps, item: Item, signal: AbortSignal): Promise<Observed> {
  const asked = item.deleting ? [] : item.owners
  const states = await Promise.all(asked.map((reference) => owners.state(item, reference, signal)))
  // Only now: what became known meanwhile counts.
  return { item, owners: states, dependents: dependentsOf(graph.dependentsOf(item.uid), item) }
}

/** Who names itself waits for nobody; who names an owner in another namespace has none, and must not hold it up. */
function dependentsOf(items: readonly Item[], owner: Item): Observed['dependents'] {
  return items.flatMap((item) => {
    const isElsewhere = owner.namespace !== undefined && item.namespace !== owner.namespace
    const reference = item.owners.find((one) => one.uid === owner.uid)
    return reference === undefined || isElsewhere || item.uid === owner.uid ? [] : [{ item, reference }]
  })
}

/** Whether a dependent that is not yet known of would decide otherwise. */
function needsEveryKind({ item, owners }: Observed): boolean {
  return isHeld(item) || owners.includes('waiting')
}

/**
 * Watches of different kinds keep no order: of a dependent that was there before, one may hear after the deletion. For
 * those that are to survive their owner that would be the end, so it is let go only after a while without any.
 */
const QUIET_MS = 250

function createSettling(clock: Clock) {
  const quietSince = new Map<string, number>()
  return (id: string, observed: Observed | undefined): boolean => {
    if (!observed?.item.deleting || !observed.item.finalizers.includes(ORPHAN) || observed.dependents.length > 0) {
      quietSince.delete(id)
      return true
    }
    const since = quietSince.get(id) ?? clock.monotonicMs()
    quietSince.set(id, since)
    return clock.monotonicMs() - since >= QUIET_MS
  }
}
