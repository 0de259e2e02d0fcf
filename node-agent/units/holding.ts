/**
 * Takes units and gives them back at the API, beside the rounds: a slow server delays one unit's claim, never another
 * unit's stop. While one is on its way the unit is `busy` and no round touches it.
 */
import type { Logger } from 'pino'
import { backoffMs } from '../../controllers/lib/backoff.ts'
import { type ApiClient, isApiError } from '../../controllers/lib/client.ts'
import { Unit } from '../../crds/unit.ts'
import { type BoundUnits, uidOf } from './bound-units.ts'
import { claimPatch, releasePatch } from './claims.ts'
import type { Copies } from './copies.ts'
import { type Exclusive, isExclusive } from './fence/exclusive.ts'
import { limiter } from './limiter.ts'
import type { Memory } from './memory.ts'
import type { Action } from './plan.ts'

export interface HoldingDeps {
  readonly client: Pick<ApiClient, 'get' | 'patch'>
  readonly machineName: string
  readonly units: BoundUnits
  readonly memory: Memory
  readonly copies: Copies<Unit>
  readonly exclusive: Pick<Exclusive, 'term' | 'claimed' | 'refusal'>
  /** Another round is worth it. */
  readonly wake: () => void
  readonly signal: AbortSignal
  readonly log: Logger
}

export interface Holding {
  /** Begins a claim or a release; returns at once. */
  begin(action: Action): void
  /** Settles when nothing is on its way any more. */
  idle(): Promise<void>
}

const AT_ONCE = 16
const CALL_DEADLINE_MS = 5_000
const RETRY = { firstMs: 100, maxMs: 5_000 }

export function createHolding(deps: HoldingDeps): Holding {
  const { memory, log, wake, signal } = deps
  const limit = limiter(AT_ONCE)
  const failures = new Map<string, number>()
  const running = new Set<Promise<void>>()
  const done = (uid: string): void => {
    memory.busy.delete(uid)
    wake()
  }
  const retryLater = (action: Action, error: unknown): void => {
    const count = failures.get(action.uid) ?? 0
    failures.set(action.uid, count + 1)
    const afterMs = backoffMs(RETRY, count)
    const isLost = isApiError(error, 403, 404, 409, 422)
    log[isLost ? 'debug' : 'warn']({ unit: action.name, action: action.do, afterMs, err: error }, 'holder not changed')
    if (!signal.aborted) setTimeout(() => done(action.uid), afterMs).unref()
  }
  const work = async (action: Action): Promise<void> => {
    try {
      await limit(() => (action.do === 'claim' ? claim(action, deps) : release(action, deps)))
      failures.delete(action.uid)
      log.info({ unit: action.name, action: action.do, reason: action.reason }, 'action applied')
      done(action.uid)
    } catch (error) {
      retryLater(action, error)
    }
  }
  return {
    begin: (action) => {
      memory.busy.add(action.uid)
      const task = work(action).finally(() => running.delete(task))
      running.add(task)
    },
    idle: async () => {
      await Promise.all(running)
    },
  }
}

async function claim({ uid }: Action, deps: HoldingDeps): Promise<void> {
  const { client, machineName, units, exclusive, signal } = deps
  const unit = units.get(uid)
  const term = exclusive.term()
  if (unit === undefined) return
  if (isExclusive(unit) && term === undefined && exclusive.refusal(unit) === undefined)
    throw new Error('the lease of this machine ran out')
  const body = claimPatch(unit, machineName, new Date())
  units.learn(await patchStatus(client, unit.metadata.name, body, signal))
  if (isExclusive(unit) && term !== undefined) beginAnew(uid, term, deps)
}

/** What was started under an earlier claim has ended with it. */
function beginAnew(uid: string, term: number, { memory, exclusive }: HoldingDeps): void {
  exclusive.claimed(uid, term)
  const record = memory.records.get(uid)
  if (record !== undefined) memory.records.set(uid, { ...record, started: false })
}

/** Reads first: the object may be another's by now, or a new one of the same name, and then there is nothing to say. */
async function release(action: Action, deps: HoldingDeps): Promise<void> {
  const { client, machineName, units, memory, copies, signal } = deps
  const unit = await read(client, action.name, signal)
  if (unit !== undefined && uidOf(unit) === action.uid && unit.status?.machineName === machineName)
    units.learn(await patchStatus(client, action.name, releasePatch(unit, machineName, new Date()), signal))
  await copies.forget([action.uid])
  memory.copies.delete(action.uid)
  memory.refusals.delete(action.uid)
}

async function read(client: HoldingDeps['client'], name: string, signal: AbortSignal): Promise<Unit | undefined> {
  try {
    return await client.get(Unit, name, { timeoutMs: CALL_DEADLINE_MS, signal })
  } catch (error) {
    if (isApiError(error, 404)) return undefined
    throw error
  }
}

function patchStatus(client: HoldingDeps['client'], name: string, body: unknown, signal: AbortSignal): Promise<Unit> {
  return client.patch(Unit, name, { type: 'json', subresource: 'status', body, timeoutMs: CALL_DEADLINE_MS, signal })
}
