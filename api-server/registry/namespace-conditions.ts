/** What a namespace that is being deleted says of what holds it up: Kubernetes' conditions, reasons and words. Pure. */
import type { ApiObject } from '../../crds/kind.ts'
import { timestamp } from './prepare.ts'

/** What is left in a namespace: how many objects of each resource, and how many are held by each finalizer. */
export interface Remaining {
  readonly resources: ReadonlyMap<string, number>
  readonly finalizers: ReadonlyMap<string, number>
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}

export function statusOf({ status }: ApiObject): { readonly conditions?: readonly Condition[] } {
  return (status ?? {}) as { conditions?: readonly Condition[] }
}

/** All five, in Kubernetes' order; the time of each moves only when its status does. */
export function conditions(
  namespace: ApiObject,
  left: Remaining,
  failures: readonly string[],
  time: Date,
): Condition[] {
  const before = statusOf(namespace).conditions ?? []
  const now = timestamp(time)
  const own = said(left, failures).map(([type, status, reason, message]): Condition => {
    const known = before.find((one) => one.type === type)
    const lastTransitionTime = known?.status === status ? known.lastTransitionTime : now
    return { type, status, reason, message, lastTransitionTime }
  })
  return [...before.filter(({ type }) => !own.some((one) => one.type === type)), ...own]
}

type Said = readonly [type: string, status: 'True' | 'False', reason: string, message: string]

const DONE: Readonly<Record<'discovery' | 'parsing' | 'content' | 'remaining' | 'finalizers', Said>> = {
  discovery: [
    'NamespaceDeletionDiscoveryFailure',
    'False',
    'ResourcesDiscovered',
    'All resources successfully discovered',
  ],
  parsing: [
    'NamespaceDeletionGroupVersionParsingFailure',
    'False',
    'ParsedGroupVersions',
    'All legacy kube types successfully parsed',
  ],
  content: [
    'NamespaceDeletionContentFailure',
    'False',
    'ContentDeleted',
    'All content successfully deleted, may be waiting on finalization',
  ],
  remaining: ['NamespaceContentRemaining', 'False', 'ContentRemoved', 'All content successfully removed'],
  finalizers: [
    'NamespaceFinalizersRemaining',
    'False',
    'ContentHasNoFinalizers',
    'All content-preserving finalizers finished',
  ],
}

const MAX_FAILURES = 10

function said({ resources, finalizers }: Remaining, failures: readonly string[]): Said[] {
  const holding = `Some content in the namespace has finalizers remaining: ${counted(finalizers, 'in')}`
  return [
    // Ours finds its own kinds and parses nothing: these two are there because clients read all five.
    DONE.discovery,
    DONE.parsing,
    failures.length === 0 ? DONE.content : failed(failures),
    resources.size === 0
      ? DONE.remaining
      : [
          DONE.remaining[0],
          'True',
          'SomeResourcesRemain',
          `Some resources are remaining: ${counted(resources, 'has')}`,
        ],
    finalizers.size === 0 ? DONE.finalizers : [DONE.finalizers[0], 'True', 'SomeFinalizersRemain', holding],
  ]
}

function failed(failures: readonly string[]): Said {
  const list = failures.slice(0, MAX_FAILURES).join(', ')
  const message = `Failed to delete all resource types, ${failures.length} remaining: ${list}`
  return [DONE.content[0], 'True', 'ContentDeletionFailed', message]
}

function counted(counts: ReadonlyMap<string, number>, word: string): string {
  return [...counts]
    .map(([what, count]) => `${what} ${word} ${count} resource instances`)
    .sort()
    .join(', ')
}
