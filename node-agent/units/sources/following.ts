/**
 * Follows single objects by name, as a kubelet does: one list and watch each, narrowed to the name, so that a machine
 * needs no right to see any other. What comes is first taken in (made durable), then told.
 */
import type { Logger } from 'pino'
import type { ApiReader } from '../../../controllers/lib/client.ts'
import { sleep, systemClock } from '../../../controllers/lib/clock.ts'
import { createInformer } from '../../../controllers/lib/informer.ts'
import { fieldEquals } from '../../../crds/field-selector.ts'
import type { Kind, ObjectOf } from '../../../crds/kind.ts'

/** Units are cluster-scoped; what they read lies here. */
export const NAMESPACE = 'default'

/** An object that is told may be absent; one that is not told yet may say why. */
export type Known<T> =
  | { readonly told: true; readonly object: Readonly<T> | undefined }
  | { readonly told: false; readonly why?: string }

export interface Following<T> {
  /** Follows these and no others from now on. */
  keepTo(names: ReadonlySet<string>): void
  get(name: string): Known<T>
  /** Takes the object in once more: something else is to be made of it. */
  again(name: string): void
}

export interface FollowingOptions<K extends Kind> {
  readonly client: ApiReader
  readonly kind: K
  /** Before the object is told; a rejection is told instead, and it is tried again. */
  readonly takeIn: (name: string, object: Readonly<ObjectOf<K>> | undefined) => Promise<void>
  readonly onChange: () => void
  readonly log: Logger
  /** Ends all of them. */
  readonly signal: AbortSignal
}

interface Followed<T> {
  known: Known<T>
  readonly stopping: AbortController
  readonly takeIn: () => void
}

/** An answer comes within milliseconds; only when it does not is there a reason to ask for. */
const PROBE_MS = 1_000
const RETRY_MS = 10_000

export function followObjects<K extends Kind>(options: FollowingOptions<K>): Following<ObjectOf<K>> {
  const followed = new Map<string, Followed<ObjectOf<K>>>()
  const stop = (name: string): void => {
    followed.get(name)?.stopping.abort()
    followed.delete(name)
  }
  options.signal.addEventListener('abort', () => [...followed.keys()].forEach(stop), { once: true })
  return {
    keepTo(names) {
      for (const name of followed.keys()) if (!names.has(name)) stop(name)
      if (options.signal.aborted) return
      for (const name of names) if (!followed.has(name)) followed.set(name, begin(name, options))
    },
    get: (name) => followed.get(name)?.known ?? { told: false },
    again: (name) => followed.get(name)?.takeIn(),
  }
}

function begin<K extends Kind>(name: string, options: FollowingOptions<K>): Followed<ObjectOf<K>> {
  const { client, kind, log, onChange } = options
  const stopping = new AbortController()
  const informer = createInformer({
    ...{ client, kind, log, namespace: NAMESPACE },
    fieldSelector: fieldEquals('metadata.name', name),
    onChange: () => entry.takeIn(),
  })
  const tell = (known: Known<ObjectOf<K>>): void => {
    if (stopping.signal.aborted) return
    entry.known = known
    onChange()
  }
  let isReady = false
  const takeIn = inTurn(async () => {
    if (!isReady || stopping.signal.aborted) return
    const object = informer.get(`${NAMESPACE}/${name}`)
    try {
      await options.takeIn(name, object)
      tell({ told: true, object })
    } catch (error) {
      log.warn({ kind: kind.kind, name, err: error }, 'what units take from it cannot be kept')
      tell({ told: false, why: (error as Error).message })
      if (await sleep(systemClock, RETRY_MS, stopping.signal)) takeIn()
    }
  })
  const entry: Followed<ObjectOf<K>> = { known: { told: false }, stopping, takeIn }
  void informer.ready.then(() => {
    isReady = true
    takeIn()
  })
  void informer.start(stopping.signal)
  void probe(name, options, stopping.signal, () => isReady, tell)
  return entry
}

/** An informer goes on in silence; people want to know what it is waiting for. */
async function probe<K extends Kind>(
  name: string,
  { client, kind }: FollowingOptions<K>,
  signal: AbortSignal,
  isReady: () => boolean,
  tell: (known: Known<ObjectOf<K>>) => void,
): Promise<void> {
  for (let waitMs = PROBE_MS; (await sleep(systemClock, waitMs, signal)) && !isReady(); waitMs = RETRY_MS) {
    try {
      await client.get(kind, name, { namespace: NAMESPACE, signal })
    } catch (error) {
      if (!isReady()) tell({ told: false, why: (error as Error).message })
    }
  }
}

/** Runs `work` for every call, one at a time; calls during a run are one more run after it. */
function inTurn(work: () => Promise<void>): () => void {
  let isRunning = false
  let isAsked = false
  const run = async (): Promise<void> => {
    isRunning = true
    while (isAsked) {
      isAsked = false
      await work()
    }
    isRunning = false
  }
  return () => {
    isAsked = true
    if (!isRunning) void run()
  }
}
