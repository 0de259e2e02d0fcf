/**
 * A namespace that is being deleted is emptied, and told of what holds it up in the conditions, reasons and words of
 * Kubernetes' namespace controller. Level-triggered: whatever a crash left half empty is found again by the next pass.
 */
import { Namespace } from '../../crds/index.ts'
import { type ApiObject, type Kind, qualifiedResource } from '../../crds/kind.ts'
import { type Entry, objectOf } from './entry.ts'
import { StatusError } from './errors.ts'
import type { KindCache } from './kind-cache.ts'
import { conditions, type Remaining, statusOf } from './namespace-conditions.ts'
import type { Registry } from './registry.ts'

/** How many deletions wait for the disk together. */
const DELETE_TOGETHER = 64

/** Empties every namespace that is being deleted and lets go of those that are empty. */
export async function drainNamespaces(registry: Registry): Promise<void> {
  for (const entry of [...registry.feed.cache(Namespace).entries.from('')])
    if (isEnding(entry)) await drain(registry, entry.name)
}

/** Read once a version: the question comes up with every pass. */
const ending = new WeakMap<Entry, boolean>()

export function isEnding(entry: Entry): boolean {
  let answer = ending.get(entry)
  if (answer === undefined) {
    answer = objectOf(entry).metadata.deletionTimestamp !== undefined
    ending.set(entry, answer)
  }
  return answer
}

async function drain(registry: Registry, namespace: string): Promise<void> {
  const caches = [...registry.feed.collections].filter(({ kind }) => kind.scope === 'Namespaced')
  const failures: string[] = []
  for (const cache of caches) await empty(registry, cache, namespace, failures)
  const left = remaining(caches, namespace)
  const isEmpty = left.resources.size === 0 && failures.length === 0
  const explain = (current: ApiObject): ApiObject => ({
    ...current,
    status: { ...statusOf(current), conditions: conditions(current, left, failures, new Date()) },
  })
  const place = { kind: Namespace as Kind, namespace: undefined, name: namespace }
  const writing = isEmpty
    ? registry.update(place, withoutFinalizer, undefined)
    : registry.update(place, explain, 'status')
  await writing.catch(ignoreGone)
}

async function empty(registry: Registry, { kind, entries }: KindCache, namespace: string, failures: string[]) {
  const all = [...entries.from('', `${namespace}/`)]
  const remove = ({ name }: Entry) =>
    registry
      .delete({ kind, namespace, name })
      .catch(ignoreGone)
      .catch((error: unknown) => failures.push(error instanceof Error ? error.message : String(error)))
  for (let at = 0; at < all.length; at += DELETE_TOGETHER)
    await Promise.all(all.slice(at, at + DELETE_TOGETHER).map(remove))
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError && error.status.code === 404)) throw error
}

function remaining(caches: readonly KindCache[], namespace: string): Remaining {
  const resources = new Map<string, number>()
  const finalizers = new Map<string, number>()
  const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
  for (const { kind, entries } of caches)
    for (const entry of entries.from('', `${namespace}/`)) {
      // With the dot behind it even in the core group, as Kubernetes writes it here.
      count(resources, kind.group === '' ? `${kind.plural}.` : qualifiedResource(kind))
      for (const finalizer of objectOf(entry).metadata.finalizers ?? []) count(finalizers, finalizer)
    }
  return { resources, finalizers }
}

function withoutFinalizer(namespace: ApiObject): ApiObject {
  const { finalizers = [], ...spec } = (namespace.spec ?? {}) as { finalizers?: string[] }
  return { ...namespace, spec: { ...spec, finalizers: finalizers.filter((one) => one !== 'kubernetes') } }
}
