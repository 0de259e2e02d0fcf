/**
 * Users' own kinds at work. What is served follows the definitions as the watch cache has them, and nothing else: each
 * pass looks at all of them, serves what they say, writes their status where it is other, and empties those that are being
 * deleted. So any server may do it, any number of times, and one that starts serves at once what was served before.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { ApiObject } from '../../crds/kind.ts'
import { changesOf } from '../registry/changes-of.ts'
import { StatusError } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { DEFINITION, type Definition, definitionOf, isDeleting } from './definition.ts'
import { emptyAndRelease } from './ending.ts'
import { KindMaker } from './kind-maker.ts'
import { acceptNames, type Verdict } from './names.ts'
import { statusOf } from './status.ts'

export { withDefinitions } from './definition-kind.ts'

export interface CustomKinds {
  /** Serves what the definitions say now. To be called once before the feed runs: a restart then forgets no kind. */
  serve(): Promise<void>
  /** Keeps it so until `signal` aborts; the feed must run. */
  run(signal: AbortSignal): Promise<void>
}

const RETRY_MS = 1_000
/** Objects that somebody's finalizers hold are looked at again so often. */
const ENDING_LOOK_MS = 200

export function createCustomKinds(registry: Registry, log: Logger): CustomKinds {
  const { feed } = registry
  const maker = new KindMaker(log)
  const serve = async (): Promise<Observed[]> => {
    const observed = observe(registry)
    await feed.follow(maker.kindsOf(observed))
    return observed
  }
  /** Whether something is being emptied. Served first, told afterwards: who waits for Established finds it served. */
  const pass = async (): Promise<boolean> => {
    const observed = await serve()
    for (const one of observed) await writeStatus(registry, one)
    const ending = observed.filter(({ definition }) => isDeleting(definition))
    for (const { definition } of ending) await emptyAndRelease(registry, definition, maker.isServed(definition))
    return ending.length > 0
  }
  return {
    serve: async () => void (await serve()),
    run: async (signal) => {
      const changes = changesOf(feed.cache(DEFINITION), signal)
      while (!signal.aborted) {
        changes.seen()
        try {
          await changes.next((await pass()) ? ENDING_LOOK_MS : undefined)
        } catch (error) {
          if (signal.aborted) return
          log.warn({ err: error }, 'users own kinds are not all as their definitions say, will retry')
          await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
        }
      }
    },
  }
}

export interface Observed {
  readonly definition: Definition
  readonly verdict: Verdict
}

function observe({ feed }: Registry): Observed[] {
  const definitions = [...feed.cache(DEFINITION).entries.from('')].map(definitionOf)
  const verdicts = acceptNames(definitions, feed.kinds.builtIn)
  return definitions.flatMap((definition) => {
    const verdict = verdicts.get(definition.metadata.name)
    return verdict ? [{ definition, verdict }] : []
  })
}

/** One that has gone, or is another by now than the verdict is about, is met again by the next pass. */
async function writeStatus(registry: Registry, { definition, verdict }: Observed): Promise<void> {
  const { name, uid, generation } = definition.metadata
  if (isDeepStrictEqual(statusOf(definition, verdict, new Date()), definition.status)) return
  const change = (current: ApiObject): ApiObject => {
    if (current.metadata.uid !== uid || current.metadata.generation !== generation) return current
    return { ...current, status: statusOf(current as unknown as Definition, verdict, new Date()) }
  }
  await registry.update({ kind: DEFINITION, namespace: undefined, name }, change, 'status').catch(ignoreGone)
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError && error.status.code === 404)) throw error
}
