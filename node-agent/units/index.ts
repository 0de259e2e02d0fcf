/** Units on this machine: the informer of what is placed here, the rounds, and the writes that come of them. */

import { setMaxListeners } from 'node:events'
import type { Logger } from 'pino'
import type { ApiClient } from '../../controllers/lib/client.ts'
import { aborted, sleep, systemClock } from '../../controllers/lib/clock.ts'
import { createInformer, type Informer } from '../../controllers/lib/informer.ts'
import type { Runnable } from '../../controllers/lib/runnable.ts'
import { fieldEquals } from '../../crds/field-selector.ts'
import { Unit } from '../../crds/unit.ts'
import { type BoundUnits, boundUnits } from './bound-units.ts'
import { type Copies, openCopies } from './copies.ts'
import type { UnitDriver } from './driver.ts'
import { type Exclusive, isExclusive } from './fence/exclusive.ts'
import { createHolding } from './holding.ts'
import { createMemory, type Memory } from './memory.ts'
import { createReconciler, type Reconciler } from './reconciler.ts'
import { openRecords } from './records.ts'
import type { GeneratedDropIn } from './render/render-unit.ts'
import { openUnitSources } from './sources/index.ts'
import type { Happening } from './status.ts'
import { createStatusWriter, type StatusWriter } from './status-writer.ts'
import { createWaker, type Waker } from './waker.ts'

export interface UnitsOptions {
  readonly client: ApiClient
  readonly machineName: string
  readonly driver: UnitDriver
  readonly dataDir: string
  /** The boot id, or whatever else changes when everything that was started is gone. */
  readonly epoch: string
  /** How long to wait for a server before starting from the copies. Default 5 000 (D10). */
  readonly serverWaitMs?: number
  readonly onDriver: (trouble: string | undefined) => void
  readonly onHappening: (unit: Readonly<Unit>, happening: Happening, message: string) => void
  /** Whose renewals let exclusive units run. */
  readonly exclusive: Exclusive
  /** Drop-ins that a unit gets besides its own; the same array as long as they are the same. */
  readonly generated?: (unit: Readonly<Unit>) => readonly GeneratedDropIn[]
  readonly log: Logger
}

const NOTHING_GENERATED: readonly GeneratedDropIn[] = []

const MAX_WRITES = 64
const SERVER_WAIT_MS = 5_000
/** Changes that come within this belong to one round. */
const COALESCE_MS = 3
const CHANGES_RETRY_MS = 1_000
/** Writes under way when the agent stops get so long to arrive. */
const DRAIN_MS = 1_000

/** The runnable; it stops nothing when it ends: units outlive their agent. */
export function unitsRunnable(options: UnitsOptions): Runnable {
  return { name: 'units', start: (signal) => run(options, signal) }
}

async function run(options: UnitsOptions, signal: AbortSignal): Promise<void> {
  // Every write under way listens to it: more than the ten that Node takes for a leak.
  setMaxListeners(MAX_WRITES, signal)
  const { client, machineName, driver, log } = options
  const waker = createWaker()
  let onNews = waker.wake
  const informer = createInformer({
    client,
    kind: Unit,
    fieldSelector: fieldEquals('spec.machineName', machineName),
    onChange: () => onNews(),
    log,
  })
  const { units, reconciler, memory, drain } = await assemble(options, informer, waker, signal)
  onNews = () => {
    units.invalidate()
    waker.wake()
  }
  await Promise.all([
    informer.start(signal),
    followDriver(driver, memory, waker, { log, signal }),
    loop(reconciler, informer, waker, { waitMs: options.serverWaitMs ?? SERVER_WAIT_MS, signal }).then(drain),
  ])
}

interface Assembly {
  readonly units: BoundUnits
  readonly reconciler: Reconciler
  readonly memory: Memory
  readonly drain: () => Promise<void>
}

async function assemble(
  options: UnitsOptions,
  informer: Informer<Unit>,
  { wake }: Waker,
  signal: AbortSignal,
): Promise<Assembly> {
  const { client, machineName, driver, dataDir, epoch, log, exclusive, onDriver, onHappening } = options
  const copies = openCopies<Unit>(dataDir, 'Unit')
  const records = openRecords(dataDir)
  const memory = createMemory(await loadCopies(copies, log), await records.load(), { wake, signal })
  const units = boundUnits(machineName, informer)
  const sources = await openUnitSources({ client, dataDir, wake, readsSecrets: driver.kind === 'system', log, signal })
  let isOnline = false
  void informer.ready.then(() => {
    isOnline = true
    wake()
  })
  exclusive.onTerm(wake)
  const holding = createHolding({ client, machineName, units, memory, copies, exclusive, wake, signal, log })
  let statusWriter: StatusWriter
  const reconciler = createReconciler({
    ...{ driver, memory, copies, records, units, holding, machineName, epoch, exclusive, log, onDriver },
    isOnline: () => isOnline,
    sources: sources.of,
    generated: withFence(options.generated ?? (() => NOTHING_GENERATED), exclusive),
    statusWriter: () => statusWriter,
    nowMs: () => performance.now(),
  })
  statusWriter = createStatusWriter({
    ...{ client, driver, machineName, units, onHappening, signal, log },
    reportOf: reconciler.reportOf,
    isTaking: () => memory.busy.size > 0,
  })
  const drain = () => drainWrites([holding.idle(), statusWriter.idle()])
  return { units, reconciler, memory, drain }
}

/** The same array for the same object and the same others. */
function withFence(others: NonNullable<UnitsOptions['generated']>, exclusive: Exclusive) {
  const known = new WeakMap<Readonly<Unit>, { readonly base: unknown; readonly all: readonly GeneratedDropIn[] }>()
  return (unit: Readonly<Unit>): readonly GeneratedDropIn[] => {
    const base = others(unit)
    if (!isExclusive(unit)) return base
    const before = known.get(unit)
    if (before?.base === base) return before.all
    const all = [...base, exclusive.dropIn(unit)]
    known.set(unit, { base, all })
    return all
  }
}

async function drainWrites(writes: readonly Promise<void>[]): Promise<void> {
  const timeout = new AbortController()
  await Promise.race([Promise.all(writes), sleep(systemClock, DRAIN_MS, timeout.signal)])
  timeout.abort()
}

function loadCopies(copies: Copies<Unit>, log: Logger): Promise<ReadonlyMap<string, Unit>> {
  return copies.load((file, error) => log.error({ file, err: error }, 'copy unreadable, left alone'))
}

/** With a server its word comes first; without one for a while, what is on disk has to do. */
async function loop(
  reconciler: Reconciler,
  informer: Informer<Unit>,
  waker: Waker,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const waited = new AbortController()
  await Promise.race([informer.ready, sleep(systemClock, waitMs, waited.signal), aborted(signal)])
  waited.abort()
  while (!signal.aborted) {
    const { again, afterMs } = await reconciler.round()
    if (again) continue
    await waker.wait(afterMs, signal)
    await sleep(systemClock, COALESCE_MS, signal)
  }
}

async function followDriver(
  driver: UnitDriver,
  memory: Memory,
  { wake }: Waker,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const names of driver.changes(signal)) {
        memory.hints.tell(names)
      }
    } catch (error) {
      if (signal.aborted) return
      log.warn({ err: error }, 'lost sight of the unit manager')
    }
    memory.isStale = true
    wake()
    await sleep(systemClock, CHANGES_RETRY_MS, signal)
  }
}
