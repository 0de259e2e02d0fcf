/**
 * Exclusive units on this machine: may they run now, and which of them was claimed under the lease of now.
 *
 * A *term* lasts as long as each renewal was answered before the time that the one before had bought was over. With a
 * term end all claims of the term, and all gates are closed: a unit is started again only after it was claimed anew, so
 * after the API server itself has said that it is still ours. Whoever takes units from silent machines writes to the
 * same object, and one of the two writes fails.
 */
import type { Logger } from 'pino'
import type { Unit } from '../../../crds/unit.ts'
import { uidOf, unitNameOf } from '../bound-units.ts'
import { DriverUnavailableError, type UnitDriver, type UnitFile } from '../driver.ts'
import type { GeneratedDropIn } from '../render/render-unit.ts'
import { cannotBeFenced, fenceDropIn } from './drop-in.ts'
import { type Fence, fenceTimes } from './fence.ts'

/** `open`: it may be started. `claimed`: we may open it. `closed`: it has to be claimed first. */
export type Gate = 'open' | 'claimed' | 'closed'

export interface ExclusiveOptions {
  readonly driver: Pick<UnitDriver, 'kind' | 'fence'>
  readonly leaseDurationMs: number
  /** Of the machine's monotonic clock. */
  readonly nowUs: () => number
  readonly log: Logger
}

export interface Exclusive {
  /** A renewal of the lease that was sent then has been answered. Rejects never. */
  renewed(sentAtUs: number): Promise<void>
  /** Calls back when a term has begun. */
  onTerm(listener: () => void): void
  /** Number of the term; undefined while there is none. */
  term(): number | undefined
  /** The gates of these units, by uid; as long as there are any, the lease is watched for them. */
  look(uids: readonly string[]): Promise<ReadonlyMap<string, Gate>>
  /** The server has answered a claim that was sent in that term. */
  claimed(uid: string, term: number): void
  /** Lets it be started. Why not, in one sentence; undefined: done. */
  open(uid: string): Promise<string | undefined>
  close(uid: string): Promise<void>
  /** Why it cannot be exclusive here, in one sentence. */
  refusal(unit: Readonly<Unit>): string | undefined
  dropIn(unit: Readonly<Unit>): GeneratedDropIn
}

/** Asked for, or still held so: what is no longer exclusive stays fenced until its object says that it is not. */
export function isExclusive({ spec, status }: Readonly<Unit>): boolean {
  return spec.failover === 'exclusive' || status?.fencingToken !== undefined
}

interface State {
  readonly options: ExclusiveOptions
  readonly fence: Fence | undefined
  readonly stopAfterUs: number
  readonly claims: Map<string, number>
  readonly listeners: Set<() => void>
  prepared: Promise<void> | undefined
  isNeeded: boolean
  sentAtUs: number
  untilUs: number
  term: number
  extending: Promise<void>
}

export function createExclusive(options: ExclusiveOptions): Exclusive {
  const times = fenceTimes(options.leaseDurationMs)
  const state: State = {
    ...{ options, fence: options.driver.fence?.(times), stopAfterUs: times.stopAfterMs * 1_000 },
    ...{ claims: new Map(), listeners: new Set(), prepared: undefined, isNeeded: false },
    ...{ sentAtUs: Number.NEGATIVE_INFINITY, untilUs: Number.NEGATIVE_INFINITY, term: 0, extending: Promise.resolve() },
  }
  return {
    renewed: (sentAtUs) => {
      state.sentAtUs = sentAtUs
      return state.isNeeded ? extend(state) : Promise.resolve()
    },
    onTerm: (listener) => void state.listeners.add(listener),
    term: () => termOf(state),
    look: (uids) => look(state, uids),
    claimed: (uid, term) => void state.claims.set(uid, term),
    open: (uid) => open(state, uid),
    close: async (uid) => {
      state.claims.delete(uid)
      if (state.prepared !== undefined) await state.fence?.close(uid)
    },
    refusal: (unit) => (state.fence === undefined ? refusalOf(options.driver) : cannotBeFenced(written(unit))),
    dropIn: (unit) => fenceDropIn(written(unit), { uid: uidOf(unit), token: unit.status?.fencingToken }, times),
  }
}

/** What a person wrote of it. */
function written(unit: Readonly<Unit>): UnitFile {
  return { name: unitNameOf(unit), content: unit.spec.content, dropIns: unit.spec.dropIns ?? [] }
}

function refusalOf({ kind }: Pick<UnitDriver, 'kind'>): string {
  const here = kind === 'user' ? "the user's systemd" : 'no systemd'
  return `failover: exclusive needs the machine's own systemd, which stops the unit when the agent cannot; here is ${here}`
}

function termOf({ options, untilUs, term }: State): number | undefined {
  return options.nowUs() < untilUs ? term : undefined
}

/** One at a time; what was answered meanwhile is what the next one goes by. */
function extend(state: State): Promise<void> {
  state.extending = state.extending.then(() => extendOnce(state))
  return state.extending
}

async function extendOnce(state: State): Promise<void> {
  const { options, fence, stopAfterUs } = state
  const untilUs = state.sentAtUs + stopAfterUs
  const isOver = options.nowUs() >= untilUs
  if (fence === undefined || isOver || untilUs <= state.untilUs) return
  const isNewTerm = termOf(state) === undefined
  try {
    await prepare(state, fence)
    await fence.extend(untilUs)
  } catch (error) {
    // The time bought before still runs, and ends by itself.
    options.log.warn({ err: error }, 'the lease was renewed, but exclusive units cannot be told')
    return
  }
  state.untilUs = untilUs
  if (!isNewTerm) return
  state.term += 1
  state.claims.clear()
  for (const listener of state.listeners) listener()
}

function prepare(state: State, fence: Fence): Promise<void> {
  state.prepared ??= fence.prepare().catch((error: unknown) => {
    state.prepared = undefined
    throw error
  })
  return state.prepared
}

async function look(state: State, uids: readonly string[]): Promise<ReadonlyMap<string, Gate>> {
  state.isNeeded = uids.length > 0
  const { fence } = state
  if (fence === undefined || uids.length === 0) return new Map()
  const open = await openNow(state, fence)
  return new Map(uids.map((uid) => [uid, open.has(uid) ? 'open' : isClaimed(state, uid) ? 'claimed' : 'closed']))
}

/** A fence that cannot be put up closes its gates; it holds up no other unit. */
async function openNow(state: State, fence: Fence): Promise<ReadonlySet<string>> {
  try {
    await prepare(state, fence)
    if (termOf(state) === undefined) void extend(state)
    return await fence.openGates()
  } catch (error) {
    if (error instanceof DriverUnavailableError) throw error
    state.options.log.error({ err: error }, 'exclusive units cannot be fenced')
    return new Set()
  }
}

function isClaimed(state: State, uid: string): boolean {
  const term = termOf(state)
  return term !== undefined && state.claims.get(uid) === term
}

/** A claim opens the gate once: should it close, the next start takes another claim. */
async function open(state: State, uid: string): Promise<string | undefined> {
  const { fence } = state
  if (fence === undefined) return refusalOf(state.options.driver)
  if (!isClaimed(state, uid)) return (await fence.openGates()).has(uid) ? undefined : 'not claimed under this lease'
  // Sent at once after the look at the clock, over the connection that extends: the order of the two is systemd's too.
  const refused = await fence.open(uid)
  state.claims.delete(uid)
  return refused
}
