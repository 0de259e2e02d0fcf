/**
 * Carries out a round's actions: batch by batch, because one fsync, one reload and one bus turn serve many units. A unit
 * that fails drops out of the later batches and waits for its own next try; the others never notice.
 */
import type { Logger } from 'pino'
import type { Unit } from '../../crds/unit.ts'
import { uidOf } from './bound-units.ts'
import type { Copies } from './copies.ts'
import type { Outcome, UnitDriver } from './driver.ts'
import type { Exclusive } from './fence/exclusive.ts'
import { drive } from './fence/gated.ts'
import type { Memory } from './memory.ts'
import { attemptKey, type Scene } from './observe.ts'
import type { Action, UnitRecord, Verb, Wanted } from './plan.ts'
import type { RecordFile } from './records.ts'

export interface ApplyDeps {
  readonly driver: Pick<UnitDriver, 'install' | 'remove' | 'start' | 'stop' | 'restart'>
  readonly memory: Memory
  readonly copies: Copies<Unit>
  readonly records: RecordFile
  readonly exclusive: Pick<Exclusive, 'open' | 'close'>
  readonly unit: (uid: string) => Readonly<Unit> | undefined
  readonly nowMs: () => number
  readonly log: Logger
}

/** Verbs that the machine does; claims and releases are the API's. */
export type LocalVerb = Exclude<Verb, 'claim' | 'release'>

const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 60_000

/** Rejects only with DriverUnavailableError or what the disk says about the records; the next round starts over. */
export async function apply(actions: readonly Action[], world: Scene, deps: ApplyDeps): Promise<void> {
  if (actions.length === 0) return
  const batch = (verb: LocalVerb): readonly Action[] => actions.filter((action) => action.do === verb)
  const failed = new Set<string>()
  const round: Round = {
    ...deps,
    failed,
    epoch: world.epoch,
    wanted: new Map(world.wanted.map((unit) => [unit.uid, unit])),
  }
  const run = async (verb: LocalVerb): Promise<void> => {
    const chosen = batch(verb).filter((action) => !failed.has(action.uid))
    if (chosen.length === 0) return
    const outcomes = await perform(verb, chosen, world, deps)
    for (const action of chosen) settle(action, outcomes.get(action.unitName), round)
  }
  try {
    await run('keep')
    await Promise.all([run('stop'), run('remove')])
    await run('install')
    await Promise.all([run('start'), run('restart')])
  } finally {
    await deps.records.save(deps.memory.records)
  }
}

/** Unit name to the manager's refusal; no entry is success. */
async function perform(
  verb: LocalVerb,
  actions: readonly Action[],
  scene: Scene,
  deps: ApplyDeps,
): Promise<Map<string, string>> {
  const names = actions.map(({ unitName }) => unitName)
  for (const name of names) {
    deps.memory.dirty.add(name)
    deps.memory.hints.acted(name)
  }
  const outcomes = verb === 'keep' ? await keep(actions, deps) : await change(verb, actions, scene, deps)
  return new Map(outcomes.flatMap(({ name, refused }) => (refused === undefined ? [] : [[name, refused] as const])))
}

function change(
  verb: Exclude<LocalVerb, 'keep'>,
  actions: readonly Action[],
  { files, gates }: Scene,
  { driver, exclusive }: ApplyDeps,
): Promise<readonly Outcome[]> {
  if (verb !== 'install') return drive(verb, actions, { driver, exclusive, isExclusive: (uid) => gates.has(uid) })
  return driver.install(actions.flatMap(({ uid }) => files.get(uid) ?? []))
}

/** Nothing is started of which no durable copy exists; when the disk refuses, all of the batch waits. */
async function keep(actions: readonly Action[], { copies, memory, unit }: ApplyDeps): Promise<readonly Outcome[]> {
  const objects = actions.flatMap(({ uid }) => unit(uid) ?? [])
  try {
    await copies.keep(objects)
    for (const object of objects) memory.copies.set(uidOf(object), object)
    return []
  } catch (error) {
    const refused = `cannot keep a copy: ${(error as Error).message}`
    return actions.map(({ unitName }) => ({ name: unitName, refused }))
  }
}

interface Round extends ApplyDeps {
  readonly epoch: string
  readonly wanted: ReadonlyMap<string, Wanted>
  /** Uids that drop out of this round's later batches. */
  readonly failed: Set<string>
}

function settle(action: Action, refused: string | undefined, round: Round): void {
  const { do: verb, uid, name, unitName, reason } = action
  const { memory, log, nowMs, wanted, failed } = round
  if (refused === undefined) {
    remember(action, round)
    log.info({ unit: name, unitName, action: verb, reason }, 'action applied')
    return
  }
  failed.add(uid)
  const unit = wanted.get(uid)
  const attempts = (memory.refusals.get(uid)?.attempts ?? 0) + 1
  memory.refusals.set(uid, {
    key: unit ? attemptKey(unit) : '',
    text: refused,
    isAboutRunning: verb !== 'stop' && verb !== 'remove',
    atStart: verb === 'start' || verb === 'restart',
    attempts,
    retryAtMs: nowMs() + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(attempts - 1, 10)),
  })
  log.warn({ unit: name, unitName, action: verb, reason, refused }, 'action refused')
}

/** A file that came may be what another unit could not be started without: a socket its service, a timer its own. */
function hastenStarts({ refusals }: Memory): void {
  for (const [uid, refusal] of refusals) if (refusal.atStart) refusals.set(uid, { ...refusal, retryAtMs: 0 })
}

const NOTHING = { hash: '', files: '', contentHash: '' }

function remember({ do: verb, uid, name, unitName }: Action, { memory, nowMs, wanted, epoch }: Round): void {
  const { hash, files, contentHash } = { ...NOTHING, ...wanted.get(uid) }
  const put = (change: Partial<UnitRecord>): void => {
    const before = memory.records.get(uid) ?? { uid, name, unitName, hash, epoch, started: false }
    memory.records.set(uid, { ...before, ...change })
  }
  if (verb === 'keep') return
  if (verb === 'remove') {
    memory.records.delete(uid)
    memory.installed.delete(unitName)
    memory.refusals.delete(uid)
    memory.startedAfter.delete(uid)
  } else if (verb === 'install') {
    memory.installed.set(unitName, { files: files ?? '', contentHash })
    memory.refusals.delete(uid)
    memory.installs++
    hastenStarts(memory)
    // Looked at before it was here: what was seen then would be taken for the manager's refusal.
    if (memory.observed.get(unitName)?.loadState === 'not-found') memory.observed.delete(unitName)
    if (memory.records.get(uid)?.epoch !== epoch) put({ epoch, started: false })
  } else if (verb === 'stop') {
    if (memory.records.has(uid)) put({ started: false })
  } else {
    put({ hash, epoch, started: true })
    memory.justStarted.set(uid, nowMs())
    memory.startedAfter.set(uid, memory.installs)
    memory.refusals.delete(uid)
  }
}
