/**
 * Tells the API what became of each unit, in as few writes as that takes: states that follow each other within 20 ms are
 * one write, and a unit that keeps falling over costs four a second, not one a fall.
 */
import type { Logger } from 'pino'
import { type ApiClient, isApiError } from '../../controllers/lib/client.ts'
import { findCondition, setCondition } from '../../controllers/lib/conditions.ts'
import { Unit } from '../../crds/unit.ts'
import type { BoundUnits } from './bound-units.ts'
import type { PatchOperation } from './claims.ts'
import type { UnitDriver } from './driver.ts'
import { limiter } from './limiter.ts'
import { type Happening, happening, type UnitReport } from './status.ts'

export interface StatusWriterDeps {
  readonly client: Pick<ApiClient, 'patch'>
  readonly driver: Pick<UnitDriver, 'explain'>
  readonly machineName: string
  readonly units: BoundUnits
  /** The report of now; undefined when there is nothing to say (gone, not held, still in the making). */
  readonly reportOf: (uid: string) => UnitReport | undefined
  /** Units are being taken: writes that let something start go first. */
  readonly isTaking: () => boolean
  readonly onHappening: (unit: Readonly<Unit>, happening: Happening, message: string) => void
  readonly signal: AbortSignal
  readonly log: Logger
}

export interface StatusWriter {
  /** Looks soon whether the unit's status has to change. Cheap to call again and again. */
  consider(uid: string): void
  /** Settles when what is being written is written. */
  idle(): Promise<void>
}

const AT_ONCE = 16
const COALESCE_MS = 20
const MIN_INTERVAL_MS = 250
const RETRY_MS = 1_000
/** How long a report gives way to claims, looked at so often. */
const GIVE_WAY_MS = 300
const GIVE_WAY_STEP_MS = 25
const CALL_DEADLINE_MS = 5_000

export function createStatusWriter(deps: StatusWriterDeps): StatusWriter {
  const limit = limiter(AT_ONCE)
  const timers = new Map<string, NodeJS.Timeout>()
  const writing = new Map<string, Promise<void>>()
  const again = new Set<string>()
  const lastWriteMs = new Map<string, number>()

  const schedule = (uid: string, afterMs: number): void => {
    if (deps.signal.aborted || timers.has(uid)) return
    timers.set(uid, setTimeout(() => begin(uid), afterMs).unref())
  }
  let gaveWaySinceMs: number | undefined
  const givesWay = (): boolean => {
    if (!deps.isTaking()) gaveWaySinceMs = undefined
    else gaveWaySinceMs ??= performance.now()
    return gaveWaySinceMs !== undefined && performance.now() - gaveWaySinceMs < GIVE_WAY_MS
  }
  const begin = (uid: string): void => {
    timers.delete(uid)
    if (writing.has(uid)) again.add(uid)
    else if (givesWay()) schedule(uid, GIVE_WAY_STEP_MS)
    else start(uid)
  }
  const start = (uid: string): void => {
    const task = write(uid).finally(() => {
      writing.delete(uid)
      if (again.delete(uid)) schedule(uid, MIN_INTERVAL_MS)
    })
    writing.set(uid, task)
  }
  const write = async (uid: string): Promise<void> => {
    try {
      if (await limit(() => writeStatus(uid, deps))) lastWriteMs.set(uid, performance.now())
      else if (deps.units.get(uid) === undefined) lastWriteMs.delete(uid)
    } catch (error) {
      // A failed test means that the unit is no longer ours to report on; the informer will say so.
      if (isApiError(error, 403, 404, 409, 422)) deps.log.debug({ uid, err: error }, 'status not ours to write')
      else if (!deps.signal.aborted) deps.log.warn({ uid, err: error }, 'status not written')
      schedule(uid, RETRY_MS)
    }
  }
  return {
    consider: (uid) => {
      const sinceMs = performance.now() - (lastWriteMs.get(uid) ?? Number.NEGATIVE_INFINITY)
      schedule(uid, Math.max(COALESCE_MS, MIN_INTERVAL_MS - sinceMs))
    },
    idle: async () => {
      await Promise.all(writing.values())
    },
  }
}

/** True when something was written. */
async function writeStatus(uid: string, deps: StatusWriterDeps): Promise<boolean> {
  const report = await explained(deps.reportOf(uid), uid, deps)
  const unit = deps.units.get(uid)
  if (report === undefined || unit === undefined) return false
  const body = statusPatch(unit, report, deps.machineName, new Date())
  if (body === undefined) return false
  const before = findCondition(unit.status?.conditions, 'Active')?.reason
  const { name } = unit.metadata
  const call = { timeoutMs: CALL_DEADLINE_MS, signal: deps.signal }
  deps.units.learn(await deps.client.patch(Unit, name, { type: 'json', subresource: 'status', body, ...call }))
  const event = happening(before, report.active.reason)
  if (event) deps.onHappening(unit, event, report.active.message)
  return true
}

async function explained(
  report: UnitReport | undefined,
  uid: string,
  { driver, units }: StatusWriterDeps,
): Promise<UnitReport | undefined> {
  const unit = report?.worthExplaining ? units.get(uid) : undefined
  if (report === undefined || unit === undefined) return report
  const why = await driver.explain(unit.spec.unitName ?? unit.metadata.name)
  if (why === '' || report.active.message.includes(why)) return report
  const said = report.active.message
  // The explanation often begins with what was said already: it is told once.
  const message = report.active.reason === 'Failed' || why.startsWith(said) ? why : `${said}: ${why}`
  return { ...report, active: { ...report.active, message } }
}

/** The patch that makes the object say `report`; undefined when it says so already. */
export function statusPatch(
  unit: Readonly<Unit>,
  report: UnitReport,
  machineName: string,
  now: Date,
): PatchOperation[] | undefined {
  const { status } = unit
  if (status === undefined || status.machineName !== machineName) return undefined
  const generation = report.generation === undefined ? {} : { observedGeneration: report.generation }
  const conditions = setCondition(status.conditions, { type: 'Active', ...report.active, ...generation }, now)
  // Said before the fence is taken down: as long as it stands, its machine counts as one that stops the unit by itself.
  const isFreed = unit.spec.failover !== 'exclusive' && status.fencingToken !== undefined
  const changes = [
    ...(isFreed ? change('fencingToken', status.fencingToken, undefined) : []),
    ...change('currentState', status.currentState, report.currentState),
    ...change('systemd', status.systemd, report.systemd),
    ...change('hash', status.hash, report.hash),
    ...change('observedGeneration', status.observedGeneration, report.generation),
    ...change('conditions', status.conditions, conditions),
  ]
  if (changes.length === 0) return undefined
  const seen: PatchOperation = { op: 'test', path: '/metadata/resourceVersion', value: unit.metadata.resourceVersion }
  return [{ op: 'test', path: '/status/machineName', value: machineName }, ...(isFreed ? [seen] : []), ...changes]
}

function change(field: string, before: unknown, after: unknown): PatchOperation[] {
  if (JSON.stringify(sorted(before)) === JSON.stringify(sorted(after))) return []
  const path = `/status/${field}`
  return after === undefined ? [{ op: 'remove', path }] : [{ op: 'add', path, value: after }]
}

/** Servers may store members in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, sorted(member)])
      .toSorted(),
  )
}
