/**
 * The life of one service: runs it, restarts it as Restart= says, holds the start limit, and keeps its state written
 * down so that an agent that comes after a crash takes over what still runs instead of starting a second copy.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { findAccount } from './accounts.ts'
import { serviceEnvironment } from './environment.ts'
import { LaunchError, type Launcher } from './launcher.ts'
import { type Ending, type LifeState, NEVER_STARTED } from './life-state.ts'
import { shallRestart, startLimit } from './restart-policy.ts'
import { type Resumed, runService } from './service-run.ts'
import type { ServiceSpec } from './service-spec.ts'
import type { Host } from './specifiers.ts'

/** In these nothing runs, and a start by hand takes effect at once. */
const AT_REST: ReadonlySet<string> = new Set(['dead', 'failed', 'auto-restart'])
const HIT_LIMIT: Ending = { result: 'start-limit-hit', exitStatus: 0, detail: 'Start request repeated too quickly.' }

export interface LifeOptions {
  readonly unit: string
  readonly host: Host
  readonly launcher: Launcher
  /** The spec of the file as it is installed now; throws when it is bad. */
  readonly load: () => ServiceSpec
  /** Called on every change, before anything that follows from it is done. */
  readonly save: (state: LifeState) => void
  /** A line for the unit's log. */
  readonly note: (message: string) => void
  readonly nowUs: () => number
}

export interface Life {
  state(): LifeState
  /** Leaves alone what runs or is about to; what is stopping is started again when it has stopped. */
  start(): void
  stop(): void
  restart(): void
  /** Resolves when nothing of it runs and nothing is about to. */
  settled(): Promise<void>
  /** Lets go without stopping anything; the life does nothing any more. */
  detach(): void
}

export function serviceLife(options: LifeOptions, earlier: LifeState = NEVER_STARTED): Life {
  const record = lifeRecord(options, earlier)
  const body = lifeBody(options, record)
  let wanted = false
  let loop: Promise<void> | undefined

  const keepLiving = async (resumed?: Resumed): Promise<void> => {
    for (let first = resumed; wanted || first; first = undefined) {
      wanted = false
      await body.live(first)
    }
    loop = undefined
  }
  const runAgain = () => {
    wanted = true
    if (loop === undefined) loop = keepLiving()
    else body.halt()
  }
  const resumed = resumption(earlier, options.launcher)
  if (resumed) loop = keepLiving(resumed)
  return {
    state: record.state,
    start() {
      if (body.isHalted() || AT_REST.has(record.state().subState)) runAgain()
    },
    stop() {
      wanted = false
      body.halt()
    },
    restart: runAgain,
    settled: async () => loop,
    detach() {
      wanted = false
      record.detach()
      body.halt()
    },
  }
}

type LifeRecord = ReturnType<typeof lifeRecord>

/** The state and everything outside that the life touches, which it no longer may once it is detached. */
function lifeRecord({ unit, save, note, launcher, nowUs }: LifeOptions, earlier: LifeState) {
  let state = earlier
  let detached = false
  return {
    // Once let go, whatever is still under way must not touch a process or the record: both may be another agent's.
    launcher: onlyWhile(() => !detached, launcher),
    state: () => state,
    show(change: Partial<LifeState>) {
      if (detached) return
      const enters = change.activeState === 'active' && state.activeState !== 'active'
      state = { ...state, ...change, ...(enters ? { activeEnterTimestampUs: nowUs() } : {}) }
      save(state)
    },
    note(message: string) {
      if (!detached && message) note(`${unit}: ${message}`)
    },
    detach() {
      detached = true
    },
  }
}

/** One wish to live: from a start until it is stopped or has failed for good. Only one at a time. */
function lifeBody({ load, unit, host }: LifeOptions, { state, show, note, launcher }: LifeRecord) {
  const limit = startLimit()
  let halting = new AbortController()
  const run = async (spec: ServiceSpec, resumed?: Resumed): Promise<Ending> => {
    const invocation = resumed ? state().invocation : randomBytes(16).toString('hex')
    if (!resumed) {
      show({ ...NEVER_STARTED, restarts: state().restarts, invocation, activeState: 'activating', subState: 'start' })
    }
    const account = await findAccount(spec.user, spec.group, host)
    const environment = await serviceEnvironment(spec, account, invocation)
    const context = { unit, launcher, invocation, spec, account, environment, halt: halting.signal, show }
    return runService(context, resumed)
  }
  /** What is to be settled; undefined when it shall run again. */
  const runOnce = async (resumed?: Resumed): Promise<Ending | undefined> => {
    const spec = load()
    if (!resumed && !limit.take(spec.startLimit)) return { ...HIT_LIMIT, exitStatus: state().exitStatus }
    const ending = await run(spec, resumed).catch(failureOf)
    note(ending.detail)
    if (halting.signal.aborted || !shallRestart(spec.restart, ending)) return ending
    show({ ...settled(ending), activeState: 'activating', subState: 'auto-restart' })
    await delay(spec.restartMs, undefined, { signal: halting.signal }).catch(() => undefined)
    if (halting.signal.aborted) return { ...ending, result: 'success' }
    show({ restarts: state().restarts + 1 })
    return undefined
  }
  return {
    halt: () => halting.abort(),
    isHalted: () => halting.signal.aborted,
    async live(resumed?: Resumed): Promise<void> {
      halting = new AbortController()
      if (!resumed) show({ restarts: 0 })
      let ending = await runOnce(resumed).catch(failureOf)
      while (!ending) ending = await runOnce().catch(failureOf)
      show(settled(ending))
      if (ending.result !== 'success') note(`Failed with result '${ending.result}'.`)
    },
  }
}

function settled({ result, detail, exitStatus }: Ending): Partial<LifeState> {
  const subState = result === 'success' ? 'dead' : 'failed'
  const activeState = result === 'success' ? 'inactive' : 'failed'
  return { activeState, subState, result, detail, exitStatus, mainPID: 0, mainStartTicks: 0, activeEnterTimestampUs: 0 }
}

/** How to take up what an earlier agent left: a living main process, or the news that it ended unseen. */
function resumption(earlier: LifeState, launcher: Launcher): Resumed | undefined {
  const { activeState, subState, invocation, mainPID, mainStartTicks } = earlier
  if (activeState === 'inactive' || activeState === 'failed') return undefined
  if (subState === 'exited') return {}
  const main = launcher.adopt({ pid: mainPID, startTicks: mainStartTicks }, invocation)
  return {
    main: main ?? { pid: 0, startTicks: 0, exited: Promise.resolve({ code: null, signal: null, isUnknown: true }) },
  }
}

function onlyWhile(holds: () => boolean, launcher: Launcher): Launcher {
  return {
    launch: (request) =>
      holds() ? launcher.launch(request) : Promise.reject(new LaunchError(0, 'the driver was closed')),
    adopt: launcher.adopt,
    membersOf: (invocation, leaderPid) => (holds() ? launcher.membersOf(invocation, leaderPid) : Promise.resolve([])),
    signal(pid, signal) {
      if (holds()) launcher.signal(pid, signal)
    },
  }
}

function failureOf(error: unknown): Ending {
  const status = error instanceof LaunchError ? error.status : 0
  return { result: status > 0 ? 'exit-code' : 'resources', exitStatus: status, detail: (error as Error).message }
}
