/** `flotilla drain`, `cordon` and `uncordon`: they set a wish on the Machine and show how the controllers fulfil it. */
import { isApiError } from '../../controllers/lib/api-error.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import { DRAIN_TAINT, drainTaint, isDraining, withoutDrain } from '../../crds/drain.ts'
import type { Machine } from '../../crds/machine.ts'
import { createDrainProgress, type DrainProgress } from './drain-progress.ts'
import { parseDurationMs } from './duration.ts'
import { MACHINES } from './flotilla-types.ts'
import { readObject } from './reading.ts'
import { objectPath } from './resources.ts'
import type { Session } from './session.ts'
import { isPassing } from './watching.ts'

export interface DrainOptions {
  readonly timeout: string
  readonly parallel?: string
  readonly output?: string
}

type Spec = NonNullable<Machine['spec']>
/** Undefined: it is so already. */
type Change = (machine: Readonly<Machine>) => Partial<Spec> | undefined

const LOOK_MS = 200
const TRIES = 5

/** 0 when nothing is left to move, 1 when that takes longer than it may. Ctrl-C leaves the wish as it is. */
export async function drain(session: Session, word: string, options: DrainOptions): Promise<number> {
  const { out, signal } = session
  const name = machineNameOf(word)
  const [timeoutMs, parallel] = [parseDurationMs(options.timeout), parallelOf(options.parallel)]
  if (options.output !== undefined && options.output !== 'json') throw new Error('-o takes json')
  const endMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
  const progress = createDrainProgress(session, name, options.output !== 'json')
  try {
    await progress.begin(() => change(session, name, wish(parallel)))
    const isDone = await follow(session, progress, endMs)
    if (options.output === 'json') await out.line(JSON.stringify(progress.result(), null, 4))
    if (isDone) return 0
    out.note(`error: ${name} is not drained after ${options.timeout}: ${progress.result().message}`)
    out.note(goesOn(name))
    return 1
  } catch (error) {
    if (signal.aborted && !out.isBroken) out.note(goesOn(name))
    throw error
  }
}

function goesOn(name: string): string {
  return `the drain of ${name} goes on; to end it: flotilla uncordon ${name}`
}

async function follow({ signal }: Session, progress: DrainProgress, endMs: number): Promise<boolean> {
  for (;;) {
    try {
      if (await progress.look()) return true
    } catch (error) {
      // A server that restarts is asked again: the drain goes on without us.
      if (signal.aborted || !isPassing(error)) throw error
    }
    const leftMs = endMs - performance.now()
    if (leftMs <= 0) return false
    await sleep(systemClock, Math.min(LOOK_MS, leftMs), signal)
    signal.throwIfAborted()
  }
}

export async function cordon(session: Session, words: readonly string[]): Promise<void> {
  for (const name of words.map(machineNameOf)) {
    const isNew = await change(session, name, ({ spec }) => (spec?.unschedulable ? undefined : { unschedulable: true }))
    await session.out.line(`machine/${name} ${isNew ? 'cordoned' : 'was cordoned already'}`)
  }
}

/** Ends a drain as well; nothing moves back. */
export async function uncordon(session: Session, words: readonly string[]): Promise<void> {
  for (const name of words.map(machineNameOf)) {
    const isNew = await change(session, name, letBack)
    await session.out.line(`machine/${name} ${isNew ? 'uncordoned' : 'was not cordoned'}`)
  }
}

function letBack(machine: Readonly<Machine>): Partial<Spec> | undefined {
  const taint = drainTaint(machine)
  if (!machine.spec?.unschedulable && taint === undefined) return undefined
  return { unschedulable: false, ...(taint && { taints: withoutDrain(machine) }) }
}

/** A drain that is under way keeps its number unless another is given. */
function wish(parallel: string | undefined): Change {
  return (machine) => {
    if (isDraining(machine) && (parallel === undefined || drainTaint(machine)?.value === parallel)) return undefined
    const taint = {
      key: DRAIN_TAINT,
      effect: 'NoSchedule' as const,
      ...(parallel !== undefined && { value: parallel }),
    }
    return { unschedulable: true, taints: [...withoutDrain(machine), taint] }
  }
}

/** Guarded by the version it was decided on: taints are one list, and others may be putting theirs. */
async function change({ api, signal }: Session, name: string, next: Change): Promise<boolean> {
  for (let left = TRIES; ; left--) {
    const machine = (await readObject(api, MACHINES, name, { signal })) as unknown as Readonly<Machine>
    const spec = next(machine)
    if (spec === undefined) return false
    const body = { metadata: { resourceVersion: machine.metadata.resourceVersion }, spec }
    try {
      const contentType = 'application/merge-patch+json'
      await api.request('PATCH', objectPath(MACHINES, name), { body, contentType, signal })
      return true
    } catch (error) {
      if (left <= 1 || !isApiError(error, 409)) throw error
    }
  }
}

export function machineNameOf(word: string): string {
  return word.replace(/^(?:machines?|ma|nodes?|no)(?:\.flotilla\.dev)?\//i, '')
}

function parallelOf(text: string | undefined): string | undefined {
  if (text === undefined || /^[1-9]\d{0,3}$/.test(text)) return text
  throw new Error(`--parallel takes a number from 1 on, not "${text}"`)
}
