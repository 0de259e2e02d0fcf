/**
 * Follows every kind that can have dependents or be one, users' own kinds among them: what there is is asked of the
 * server at the start, when a definition changes, and every half minute.
 */
import type { Logger } from 'pino'
import { MACHINE_LEASES } from '../../crds/group.ts'
import type { ApiObject } from '../../crds/kind.ts'
import { type Clock, sleep, systemClock } from '../lib/clock.ts'
import { createController, type Reconcile } from '../lib/controller.ts'
import { createFollower, type Parts } from '../lib/informer.ts'
import type { MetadataClient, Resource } from '../lib/metadata-client.ts'
import type { Runnable } from '../lib/runnable.ts'
import { type Graph, lean } from './graph.ts'

export interface KindsOptions {
  readonly client: Pick<MetadataClient, 'resources' | 'list' | 'watch'>
  readonly graph: Pick<Graph, 'put' | 'remove' | 'replace'>
  /** There are other kinds than before. */
  readonly onChange: () => void
  readonly log: Logger
  readonly clock?: Clock
}

export interface Kinds extends Runnable {
  resolve(group: string, kind: string): Resource | undefined
  /** Whether everything there is has been listed: only then it is known that something has no dependents. */
  isComplete(): boolean
}

const LOOK_EVERY_MS = 30_000
/** The kind of a new definition is served a moment after the definition says so. */
const LOOK_AGAIN_AFTER_MS = 500
/** A resource that takes longer is not waited for before the next is followed. */
const LIST_WITHIN_MS = 200
const NEEDED_VERBS = ['list', 'watch', 'delete']
/** Nothing owns what is forgotten after an hour anyway. */
const IGNORED = new Set(['/events', 'events.k8s.io/events'])
/** Renewed by every machine every other second, and owned by nobody. */
const HEARTBEATS = { key: 'coordination.k8s.io/leases', fieldSelector: `metadata.namespace!=${MACHINE_LEASES}` }
const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions'

export function createKinds(options: KindsOptions): Kinds {
  const { client, onChange, log, clock = systemClock } = options
  let known: ReadonlyMap<string, Resource> | undefined
  let definitionsChanged = false
  const follower = createFollowers(options, clock, () => {
    definitionsChanged = true
    looking.enqueue(EVERYTHING)
  })
  const look: Reconcile = async (_, { signal }) => {
    const again = definitionsChanged
    definitionsChanged = false
    const found = new Map((await client.resources({ signal })).map((resource) => [kindKey(resource), resource]))
    const isNew = found.size !== known?.size || [...found.keys()].some((key) => !known?.has(key))
    known = found
    await follower.adjust(followable(found.values()), signal)
    if (isNew) onChange()
    return { requeueAfterMs: again ? LOOK_AGAIN_AFTER_MS : LOOK_EVERY_MS }
  }
  const looking = createController({ name: 'garbage-collector kinds', reconcile: look, log, clock, backoff: RETRY })
  return {
    name: 'garbage-collector kinds',
    resolve: (group, kind) => known?.get(`${group} ${kind}`),
    isComplete: () => known !== undefined && follower.isComplete(),
    start: async (signal) => {
      looking.enqueue(EVERYTHING)
      await looking.start(signal)
      await follower.stop()
    },
  }
}

const EVERYTHING = 'every kind'

interface Followed {
  readonly resource: Resource
  isListed: boolean
  readonly stop: AbortController
  ended: Promise<void>
}

/** A list-and-watch loop for each resource; `adjust` starts and stops them until they are those that are wanted. */
function createFollowers(options: KindsOptions, clock: Clock, onDefinition: () => void) {
  const { client, graph, log } = options
  const followed = new Map<string, Followed>()
  /** Resolves when the resource has been listed, or will not be so soon. */
  const follow = async (key: string, resource: Resource): Promise<void> => {
    const entry: Followed = { resource, isListed: false, stop: new AbortController(), ended: Promise.resolve() }
    const listed = new AbortController()
    const markReady = (): void => {
      entry.isListed = true
      listed.abort()
    }
    const cache = cacheOf(graph, resource, key === DEFINITIONS ? onDefinition : () => {})
    const run = createFollower(sourceOf(client, key, resource), { log }, { cache, clock, markReady, contact: () => {} })
    entry.ended = run(entry.stop.signal)
    followed.set(key, entry)
    await sleep(clock, LIST_WITHIN_MS, listed.signal)
  }
  const unfollow = async (key: string, { stop, ended }: Followed): Promise<void> => {
    followed.delete(key)
    stop.abort()
    await ended
  }
  return {
    isComplete: () => [...followed.values()].every(({ isListed }) => isListed),
    stop: async () => {
      await Promise.all([...followed].map(([key, entry]) => unfollow(key, entry)))
    },
    adjust: async (wanted: ReadonlyMap<string, Resource>, signal: AbortSignal): Promise<void> => {
      const over = [...followed].filter(([key, { resource }]) => wanted.get(key)?.version !== resource.version)
      await Promise.all(over.map(([key, entry]) => unfollow(key, entry)))
      for (const [key, { resource }] of over) if (!wanted.has(key)) graph.replace(resource, [])
      // One after the other: two dozen handshakes at once would hold up everybody, and raise the memory for good.
      for (const [key, resource] of wanted) if (!signal.aborted && !followed.has(key)) await follow(key, resource)
    },
  }
}

const RETRY = { firstMs: 100, maxMs: 5_000 }

function kindKey({ group, kind }: Resource): string {
  return `${group} ${kind}`
}

function followable(found: Iterable<Resource>): ReadonlyMap<string, Resource> {
  const wanted = new Map<string, Resource>()
  for (const resource of found) {
    const key = `${resource.group}/${resource.plural}`
    if (!IGNORED.has(key) && NEEDED_VERBS.every((verb) => resource.verbs.includes(verb))) wanted.set(key, resource)
  }
  return wanted
}

function sourceOf(client: KindsOptions['client'], key: string, resource: Resource) {
  const selection = key === HEARTBEATS.key ? { fieldSelector: HEARTBEATS.fieldSelector } : {}
  return {
    name: key,
    list: (signal: AbortSignal) => client.list(resource, { ...selection, signal, keep: lean }),
    watch: (watch: Parameters<MetadataClient['watch']>[1]) => client.watch(resource, { ...selection, ...watch }),
  }
}

function cacheOf(graph: KindsOptions['graph'], resource: Resource, changed: () => void): Parts['cache'] {
  return {
    put: (object: ApiObject) => {
      graph.put(resource, object)
      changed()
    },
    remove: (object) => {
      graph.remove(resource, object)
      changed()
    },
    replace: (objects) => {
      graph.replace(resource, objects)
    },
  }
}
