/** What `kubectl get pods` shows of a Pod: one word for all that may be the matter with it. */
import { age } from '../../age.ts'
import type { ApiObject, Column } from '../../kind.ts'
import { recordAt, recordsAt } from '../built-in.ts'
import { AGE, NONE } from '../columns.ts'

type Json = Record<string, unknown>

export const POD_COLUMNS: readonly Column[] = [
  {
    name: 'Ready',
    type: 'string',
    jsonPath: '.status.containerStatuses',
    description: 'Containers ready, of all.',
    cell: readyText,
  },
  { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'What it is doing.', cell: statusText },
  {
    name: 'Restarts',
    type: 'string',
    jsonPath: '.status.containerStatuses',
    description: 'How often containers were started anew, and when last.',
    cell: restartsText,
  },
  AGE,
  wide('IP', '.status.podIP', 'Its address.', (pod) => recordAt(pod, 'status')?.podIP),
  wide('Node', '.spec.nodeName', 'The machine it is bound to.', (pod) => recordAt(pod, 'spec')?.nodeName),
  wide(
    'Nominated Node',
    '.status.nominatedNodeName',
    'Where it may get room.',
    (pod) => recordAt(pod, 'status')?.nominatedNodeName,
  ),
  wide('Readiness Gates', '.spec.readinessGates', 'Further conditions of being ready that hold.', gatesText),
]

function wide(name: string, jsonPath: string, description: string, read: (pod: ApiObject) => unknown): Column {
  return { name, type: 'string', jsonPath, description, priority: 1, cell: (pod) => String(read(pod) || NONE) }
}

function statuses(pod: ApiObject, field: string): Json[] {
  return recordsAt(recordAt(pod, 'status'), field)
}

function readyText(pod: ApiObject): string {
  const ready = statuses(pod, 'containerStatuses').filter(
    (one) => one.ready === true && recordAt(recordAt(one, 'state'), 'running'),
  )
  return `${ready.length}/${recordsAt(recordAt(pod, 'spec'), 'containers').length}`
}

function restartsText(pod: ApiObject, now: Date): string {
  const init = statuses(pod, 'initContainerStatuses')
  const counted = initProgress(pod) === undefined ? statuses(pod, 'containerStatuses') : init
  const count = counted.reduce((sum, one) => sum + Number(one.restartCount ?? 0), 0)
  const ends = counted.map((one) => String(recordAt(recordAt(one, 'lastState'), 'terminated')?.finishedAt ?? ''))
  const last = ends.sort().at(-1)
  return count > 0 && last ? `${count} (${age(last, now)} ago)` : String(count)
}

function statusText(pod: ApiObject): string {
  const status = recordAt(pod, 'status') ?? {}
  const reason =
    initProgress(pod) ?? containersReason(pod) ?? String(status.reason || gated(pod) || status.phase || 'Unknown')
  if (pod.metadata.deletionTimestamp === undefined) return reason
  if (status.reason === 'NodeLost') return 'Unknown'
  return ['Succeeded', 'Failed'].includes(String(status.phase)) ? reason : 'Terminating'
}

function gated(pod: ApiObject): string | undefined {
  const scheduled = statuses(pod, 'conditions').find(({ type }) => type === 'PodScheduled')
  return scheduled?.reason === 'SchedulingGated' ? 'SchedulingGated' : undefined
}

/** `Init:1/3`, `Init:Error` …: undefined once all init containers are done. */
function initProgress(pod: ApiObject): string | undefined {
  const specs = recordsAt(recordAt(pod, 'spec'), 'initContainers')
  for (const [at, status] of statuses(pod, 'initContainerStatuses').entries()) {
    const state = recordAt(status, 'state')
    const terminated = recordAt(state, 'terminated')
    const isSidecar = specs.find(({ name }) => name === status.name)?.restartPolicy === 'Always'
    if (terminated?.exitCode === 0 || (isSidecar && status.started === true)) continue
    if (terminated) return `Init:${endText(terminated)}`
    const waiting = recordAt(state, 'waiting')
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`
    return `Init:${at}/${specs.length}`
  }
  return undefined
}

/** The first container's word goes first; a completed one counts as running while others run. */
function containersReason(pod: ApiObject): string | undefined {
  const all = statuses(pod, 'containerStatuses')
  let reason: string | undefined
  for (const status of all.toReversed()) {
    const state = recordAt(status, 'state')
    const waiting = recordAt(state, 'waiting')
    const terminated = recordAt(state, 'terminated')
    if (waiting?.reason) reason = String(waiting.reason)
    else if (terminated) reason = endText(terminated)
  }
  const runs = all.some((one) => one.ready === true && recordAt(recordAt(one, 'state'), 'running'))
  if (reason !== 'Completed' || !runs) return reason
  const isReady = statuses(pod, 'conditions').some(({ type, status }) => type === 'Ready' && status === 'True')
  return isReady ? 'Running' : 'NotReady'
}

function endText({ reason, signal, exitCode }: Json): string {
  if (reason) return String(reason)
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`
}

function gatesText(pod: ApiObject): string {
  const gates = recordsAt(recordAt(pod, 'spec'), 'readinessGates')
  if (gates.length === 0) return NONE
  const holds = ({ conditionType }: Json) =>
    statuses(pod, 'conditions').some(({ type, status }) => type === conditionType && status === 'True')
  return `${gates.filter(holds).length}/${gates.length}`
}
