/** Writes what was planned: every change for the version it was planned from, every deletion for that incarnation. */
import { setMaxListeners } from 'node:events'
import { Unit } from '../../crds/unit.ts'
import type { ApiWriter } from '../lib/client.ts'
import type { Clock } from '../lib/clock.ts'
import { forEachConcurrently } from '../lib/concurrent.ts'
import { setCondition } from '../lib/conditions.ts'
import type { EventRecorder } from '../lib/events.ts'
import { unlessChanged } from '../lib/unless-changed.ts'
import type { Action } from './plan.ts'
import { PROGRESSING, type Report } from './report.ts'

export interface ApplyDeps {
  readonly client: Pick<ApiWriter, 'create' | 'update' | 'delete' | 'patch'>
  readonly events: Pick<EventRecorder, 'record'>
  readonly clock: Clock
  /** Takes in the answer to a write, which the informer may not show yet. */
  readonly learn: (unit: Readonly<Unit>) => void
}

const AT_ONCE = 16
/** Each call listens to the run's signal, and so does the run. */
const MAX_LISTENERS = AT_ONCE + 2

/** What goes first, so that a machine has room for what comes. Rejects with the first error, after all were tried. */
export async function applyAll(
  deps: ApplyDeps,
  parent: Readonly<Unit>,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<void> {
  setMaxListeners(MAX_LISTENERS, signal)
  const deletions = actions.filter((action) => action.do === 'delete')
  for (const { child } of deletions) await remove(deps, child, signal)
  await forEachConcurrently(
    actions.filter((action) => action.do !== 'delete'),
    AT_ONCE,
    (action) => write(deps, parent, action, signal),
  )
}

async function write(
  deps: ApplyDeps,
  parent: Readonly<Unit>,
  action: Exclude<Action, { do: 'delete' }>,
  signal: AbortSignal,
): Promise<void> {
  if (action.do === 'report') return report(deps, parent, action.report, signal)
  if (action.do === 'create') {
    const metadata = { name: action.name, ...tags(action), ownerReferences: [ownerOf(parent)] }
    // AlreadyExists says that somebody was first; whose it is shows in the informer, and the next run asks there.
    deps.learn(await deps.client.create(Unit, { metadata, spec: action.spec }, { signal }))
    return
  }
  const { child, spec } = action
  const { labels, annotations } = tags(action)
  const { labels: _, ...kept } = child.metadata
  const metadata = { ...kept, labels, annotations: { ...kept.annotations, ...annotations } }
  deps.learn(await deps.client.update(Unit, { ...child, metadata, spec }, { signal }))
}

function tags({ labels, annotations }: Extract<Action, { do: 'create' | 'update' }>) {
  return { labels: { ...labels }, annotations: { ...annotations } }
}

function ownerOf({ apiVersion, kind, metadata }: Readonly<Unit>) {
  const { name, uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

async function remove({ client }: ApplyDeps, child: Readonly<Unit>, signal: AbortSignal): Promise<void> {
  const { name, uid } = child.metadata
  // Gone, or another one by now: what that is shows in the informer.
  await unlessChanged(() => client.delete(Unit, name, { ...(uid === undefined ? {} : { uid }), signal }))
}

/** What an ordinary unit says of itself, and a parent cannot. */
const NOT_OF_PARENTS = new Set(['Scheduled', 'Active'])
const NO_COUNTS = {
  desiredReplicas: null,
  replicas: null,
  activeReplicas: null,
  readyReplicas: null,
  updatedReplicas: null,
}

async function report(deps: ApplyDeps, parent: Readonly<Unit>, said: Report, signal: AbortSignal): Promise<void> {
  const { name, resourceVersion, generation } = parent.metadata
  const others = (parent.status?.conditions ?? []).filter(({ type }) =>
    said.condition ? !NOT_OF_PARENTS.has(type) : type !== PROGRESSING,
  )
  const conditions = said.condition ? setCondition(others, said.condition, deps.clock.now()) : others
  const status = { ...(said.counts ?? NO_COUNTS), conditions, observedGeneration: generation }
  const body = { metadata: { resourceVersion }, status }
  deps.learn(await deps.client.patch(Unit, name, { type: 'merge', subresource: 'status', body, signal }))
  const { condition, isNews } = said
  if (!condition || !isNews) return
  const type = condition.status === 'False' ? 'Warning' : 'Normal'
  deps.events.record(parent, { type, reason: condition.reason, message: condition.message })
}
