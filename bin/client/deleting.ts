/** `flotilla delete`: asks for the removal of objects and waits until they are really gone. */
import { ApiError, isApiError } from '../../controllers/lib/api-error.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { ApiObject } from '../../crds/kind.ts'
import { parseDurationMs } from './duration.ts'
import { describeFailure } from './failure.ts'
import { inOrder } from './in-order.ts'
import { readManifests } from './manifests.ts'
import { listObjects, readObject } from './reading.ts'
import { discover, objectPath, qualifiedName, type ResourceType, typeOfObject } from './resources.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'

export interface DeleteOptions {
  readonly filename?: readonly string[]
  readonly recursive?: boolean
  readonly selector?: string
  readonly all?: boolean
  readonly namespace?: string
  readonly wait?: string | boolean
  readonly timeout: string
  readonly ignoreNotFound?: boolean
}

interface Doomed {
  readonly type: ResourceType
  readonly name: string
  readonly namespace: string | undefined
}
type Outcome = { readonly doomed: Doomed; readonly uid?: string | undefined } | { readonly failure: unknown }

const AT_ONCE = 16
const FIRST_LOOK_MS = 50
const LONGEST_PAUSE_MS = 1_000

export async function deleteObjects(
  session: Session,
  words: readonly string[],
  options: DeleteOptions,
): Promise<number> {
  const { out, signal } = session
  const timeoutMs = parseDurationMs(options.timeout)
  const doomed = await selectDoomed(session, words, options)
  if (doomed.length === 0) out.note('No resources found')
  let failures = 0
  const going: { readonly doomed: Doomed; readonly uid?: string | undefined }[] = []
  await inOrder(
    doomed,
    AT_ONCE,
    (each) => deleteOne(session, each),
    async (outcome) => {
      if ('doomed' in outcome) {
        going.push(outcome)
        await out.line(`${qualifiedName(outcome.doomed.type, '').slice(0, -1)} "${outcome.doomed.name}" deleted`)
      } else if (!(options.ignoreNotFound && isApiError(outcome.failure, 404))) {
        signal.throwIfAborted()
        out.note(describeFailure(outcome.failure))
        failures++
      }
    },
  )
  if (options.wait !== false && options.wait !== 'false') failures += await waitForAll(session, going, timeoutMs)
  return failures > 0 ? 1 : 0
}

async function selectDoomed(session: Session, words: readonly string[], options: DeleteOptions): Promise<Doomed[]> {
  const { api, signal } = session
  const types = await discover(api, { signal })
  const namespace = options.namespace ?? api.namespace
  const within = (type: ResourceType): string | undefined => (type.namespaced ? namespace : undefined)
  if (options.filename) return await fromFiles(session, types, options)
  if (words.length === 0) throw new Error('say what to delete: KIND NAME, KIND/NAME, -f FILE, or KIND with -l or --all')
  const targets = parseTargets(types, words)
  const isWhole = targets.every(({ name }) => name === undefined)
  if (isWhole && !options.selector && !options.all)
    throw new Error('name what to delete, choose with -l, or say --all for every object of the kind')
  if (!isWhole && (options.selector || options.all)) throw new Error('give names, -l or --all: one of them')
  const found = await Promise.all(
    targets.map(async ({ type, name }): Promise<Doomed[]> => {
      if (name !== undefined) return [{ type, name, namespace: within(type) }]
      const selection = { labelSelector: options.selector, namespace: within(type), signal }
      const { items } = await listObjects(api, type, selection)
      return items.map(({ metadata }) => ({ type, name: metadata.name, namespace: metadata.namespace }))
    }),
  )
  return found.flat()
}

/** In reverse: what was created first is often needed by what came after. */
async function fromFiles(
  { api, io }: Session,
  types: readonly ResourceType[],
  options: DeleteOptions,
): Promise<Doomed[]> {
  const items = await readManifests(options.filename ?? [], { recursive: options.recursive, stdin: io.stdin })
  return items
    .map((item): Doomed => {
      if (!('object' in item)) throw new Error(`${item.source}: ${item.error.message}`)
      const { apiVersion, kind, metadata } = item.object
      const type = typeOfObject(types, apiVersion, kind)
      const namespace = type.namespaced ? metadata.namespace || options.namespace || api.namespace : undefined
      return { type, name: metadata.name, namespace }
    })
    .toReversed()
}

async function deleteOne({ api, signal }: Session, doomed: Doomed): Promise<Outcome> {
  const path = objectPath(doomed.type, doomed.name, doomed.namespace)
  try {
    const { value } = await api.request('DELETE', path, { body: { propagationPolicy: 'Background' }, signal })
    const { details, metadata } = value as { details?: { uid?: string }; metadata?: { uid?: string } }
    return { doomed, uid: details?.uid ?? metadata?.uid }
  } catch (failure) {
    return { failure }
  }
}

/** How many are still there when the time is up; each is told with what holds it. */
async function waitForAll(
  session: Session,
  going: readonly { readonly doomed: Doomed; readonly uid?: string | undefined }[],
  timeoutMs: number,
): Promise<number> {
  // kubectl's 0 means "for as long as it takes".
  const endMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
  let remaining = 0
  await inOrder(
    going,
    AT_ONCE,
    async ({ doomed, uid }): Promise<string | undefined> => {
      try {
        return await waitUntilGone(session, doomed, uid, endMs)
      } catch (error) {
        return describeFailure(error)
      }
    },
    async (problem) => {
      session.signal.throwIfAborted()
      if (problem === undefined) return
      remaining++
      session.out.note(problem)
    },
  )
  return remaining
}

async function waitUntilGone(
  { api, signal }: Session,
  { type, name, namespace }: Doomed,
  uid: string | undefined,
  endMs: number,
): Promise<string | undefined> {
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const object = await readObject(api, type, name, { namespace, signal }).catch(ignoreNotFound)
    if (object === undefined || (uid !== undefined && object.metadata.uid !== uid)) return undefined
    if (performance.now() >= endMs) return stillThere(type, object)
    if (!(await sleep(systemClock, Math.min(pauseMs, endMs - performance.now()), signal))) return undefined
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof ApiError && error.code === 404) return undefined
  throw error
}

function stillThere(type: ResourceType, { metadata }: ApiObject): string {
  const { finalizers = [], name } = metadata
  const why = finalizers.length > 0 ? `; it is held by ${finalizers.join(', ')}` : ''
  return `error: ${qualifiedName(type, name)} is marked for deletion and still there${why}`
}
