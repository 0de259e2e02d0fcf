/** What a definition's status says: whether its names could be had, whether it is served, whether it is going. Pure. */
import { timestamp } from '../registry/prepare.ts'
import { type Definition, isDeleting } from './definition.ts'
import type { Verdict } from './names.ts'

export type Status = NonNullable<Definition['status']>
type Condition = NonNullable<Status['conditions']>[number]
type Said = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

export function statusOf(definition: Definition, verdict: Verdict, now: Date): Status {
  const { status = {}, metadata } = definition
  const said: Said[] = [names(verdict), established(verdict), ...(isDeleting(definition) ? [TERMINATING] : [])]
  return {
    ...status,
    acceptedNames: verdict.accepted,
    conditions: said.reduce((conditions, one) => say(conditions, one, now), status.conditions ?? []),
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  }
}

function names({ conflict }: Verdict): Said {
  return conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
}

function established({ isEstablished }: Verdict): Said {
  const message = 'the initial names have been accepted'
  return isEstablished
    ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message }
    : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
}

const TERMINATING: Said = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
}

/** The conditions with `said` among them; the time stays where the answer does. */
function say(conditions: readonly Condition[], said: Said, now: Date): Condition[] {
  const before = conditions.find(({ type }) => type === said.type)
  const since = before?.status === said.status ? before.lastTransitionTime : timestamp(now)
  const condition = { ...said, lastTransitionTime: since ?? timestamp(now) }
  return before ? conditions.map((one) => (one === before ? condition : one)) : [...conditions, condition]
}
