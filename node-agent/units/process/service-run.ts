/**
 * One run of a service from its first command to its last: start-pre, start, start-post, running, stop, stop-post.
 * It never throws for what the service does; an abort of `halt` is the wish to stop it.
 */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from './accounts.ts'
import { type Command, expandVariables } from './command-line.ts'
import { contains, describeExit, type Exit, judge, statusOf } from './exit-set.ts'
import { LaunchError, type Launcher, type RunningProcess } from './launcher.ts'
import { type Ending, type LifeState, WELL } from './life-state.ts'
import type { ServiceSpec } from './service-spec.ts'
import { terminate } from './termination.ts'

export interface RunContext {
  readonly unit: string
  readonly invocation: string
  readonly spec: ServiceSpec
  readonly account: Account
  readonly environment: ReadonlyMap<string, string>
  readonly launcher: Launcher
  /** Aborted when the service should stop. */
  readonly halt: AbortSignal
  readonly show: (change: Partial<LifeState>) => void
}

type Phase = Pick<LifeState, 'activeState' | 'subState'>
const STOPPING: Phase = { activeState: 'deactivating', subState: 'stop-sigterm' }

/** A run that an earlier agent began. Without a main process it is one that remains active after its exit. */
export interface Resumed {
  readonly main?: RunningProcess
}

export async function runService(run: RunContext, resumed?: Resumed): Promise<Ending> {
  const { main, ending } = resumed ? { main: resumed.main, ending: WELL } : await startUp(run)
  if (main) run.show({ mainPID: main.pid, mainStartTicks: main.startTicks })
  const started = ending.result === 'success' && !run.halt.aborted
  const ended = started ? await stayUp(run, main) : ending
  return bringDown(run, main, ended, started && ended.result === 'success')
}

async function startUp(run: RunContext): Promise<{ readonly main?: RunningProcess; readonly ending: Ending }> {
  const { spec } = run
  const before = await inTurn(run, spec.startPre, { activeState: 'activating', subState: 'start-pre' })
  if (before.result !== 'success' || run.halt.aborted) return { ending: before }
  if (spec.type === 'oneshot') return { ending: await runOneshot(run) }
  const [command] = spec.start
  if (!command) return { ending: await startPost(run) }
  run.show({ activeState: 'activating', subState: 'start' })
  const main = await launch(run, command)
  if ('result' in main) return { ending: main }
  run.show({ mainPID: main.pid, mainStartTicks: main.startTicks })
  return { main, ending: await startPost(run) }
}

async function runOneshot(run: RunContext): Promise<Ending> {
  const ending = await inTurn(run, run.spec.start, { activeState: 'activating', subState: 'start' }, { isMain: true })
  return ending.result === 'success' && !run.halt.aborted ? startPost(run) : ending
}

function startPost(run: RunContext): Promise<Ending> {
  return inTurn(run, run.spec.startPost, { activeState: 'activating', subState: 'start-post' })
}

/** Until the main process ends, or for RemainAfterExit= until the wish to stop. */
async function stayUp(run: RunContext, main: RunningProcess | undefined): Promise<Ending> {
  const { spec, halt } = run
  let ending = WELL
  if (main) {
    if (spec.type !== 'oneshot') enterActive(run, 'running')
    const exit = await Promise.race([main.exited, aborted(halt)])
    if (exit === undefined) return WELL
    ending = endingOf(spec, exit, { isDaemon: true })
    const remains = ending.result === 'success' && spec.remainAfterExit
    run.show({ ...(remains ? {} : STOPPING), mainPID: 0, mainStartTicks: 0, exitStatus: statusOf(exit) })
    if (!remains) return ending
  } else if (!spec.remainAfterExit) return WELL
  enterActive(run, 'exited')
  await aborted(halt)
  return ending
}

function enterActive(run: RunContext, subState: string): void {
  run.show({ activeState: 'active', subState })
}

/** ExecStop= runs only for a service that had come up and is well; ExecStopPost= always. */
async function bringDown(
  run: RunContext,
  main: RunningProcess | undefined,
  ended: Ending,
  wasWell: boolean,
): Promise<Ending> {
  const { spec, environment } = run
  const withMain = new Map(environment).set('MAINPID', main ? String(main.pid) : '')
  const patient = { ...run, halt: new AbortController().signal }
  let ending = ended
  if (wasWell) {
    const told = await inTurn(
      { ...patient, environment: withMain },
      spec.stop,
      { activeState: 'deactivating', subState: 'stop' },
      { isStop: true },
    )
    ending = worse(ending, told)
  }
  ending = worse(ending, await endProcesses(patient, main))
  const about = new Map(environment).set('SERVICE_RESULT', ending.result).set('EXIT_STATUS', String(ending.exitStatus))
  const after = await inTurn(
    { ...patient, environment: about },
    spec.stopPost,
    { activeState: 'deactivating', subState: 'stop-post' },
    { isStop: true },
  )
  return worse(ending, after)
}

async function endProcesses(run: RunContext, main: RunningProcess | undefined): Promise<Ending> {
  const killed = await terminate({ ...run, main })
  const exit = main && (await Promise.race([main.exited, delay(0)]))
  if (killed === 'timeout')
    return { result: 'timeout', exitStatus: exit ? statusOf(exit) : 0, detail: 'did not stop in time and was killed' }
  // An adopted process that was told to stop has stopped: that its status was not seen is no failure.
  return exit && !exit.isUnknown ? endingOf(run.spec, exit, { isDaemon: true }) : WELL
}

interface TurnOptions {
  readonly isMain?: boolean
  readonly isStop?: boolean
}

async function inTurn(
  run: RunContext,
  commands: readonly Command[],
  phase: Phase,
  options: TurnOptions = {},
): Promise<Ending> {
  for (const command of commands) {
    run.show(phase)
    const ending = await runToEnd(run, command, options)
    if (run.halt.aborted) return WELL
    if (ending.result !== 'success' && !command.ignoreFailure) return ending
  }
  return WELL
}

async function runToEnd(
  run: RunContext,
  command: Command,
  { isMain = false, isStop = false }: TurnOptions,
): Promise<Ending> {
  const { spec } = run
  const started = await launch(run, command)
  if ('result' in started) return started
  if (isMain) run.show({ mainPID: started.pid, mainStartTicks: started.startTicks })
  const waiting = new AbortController()
  const timeoutMs = isStop ? spec.stopTimeoutMs : spec.startTimeoutMs
  const late = Number.isFinite(timeoutMs)
    ? sleep(timeoutMs, waiting.signal).then(() => 'timeout' as const)
    : never(waiting.signal)
  const outcome = await Promise.race([started.exited, late, aborted(run.halt)])
  waiting.abort()
  if (outcome === undefined) return WELL
  if (outcome === 'timeout') {
    run.launcher.signal(started.pid, 'SIGKILL')
    return { result: 'timeout', exitStatus: 0, detail: `${command.path} took longer than ${timeoutMs} ms` }
  }
  if (isMain) run.show({ mainPID: 0, mainStartTicks: 0, exitStatus: statusOf(outcome) })
  return endingOf(spec, outcome, { isDaemon: false, command: command.path })
}

async function launch(run: RunContext, command: Command): Promise<RunningProcess | Ending> {
  const { spec, account, environment } = run
  try {
    return await run.launcher.launch({
      unit: run.unit,
      invocation: run.invocation,
      path: command.path,
      argv0: command.argv0,
      args: command.expandsVariables ? expandVariables(command.args, environment) : command.args,
      environment,
      workingDirectory: workingDirectory(run),
      uid: account.uid,
      gid: account.gid,
      umask: spec.umask,
      limits: spec.limits,
      discardsOutput: spec.discardsOutput,
    })
  } catch (error) {
    const status = error instanceof LaunchError ? error.status : 0
    return { result: status > 0 ? 'exit-code' : 'resources', exitStatus: status, detail: (error as Error).message }
  }
}

function workingDirectory({ spec, account }: RunContext): string {
  const { path, optional } = spec.workingDirectory ?? { path: '/', optional: false }
  if (path === '~') return account.home
  return optional && !existsSync(path) ? '/' : path
}

function endingOf(
  spec: ServiceSpec,
  exit: Exit,
  { isDaemon, command }: { isDaemon: boolean; command?: string },
): Ending {
  const result = judge(exit, spec.success, isDaemon)
  const detail = result === 'success' ? '' : `${command ?? 'main process'} exited, ${describeExit(exit)}`
  const ending = { result, exitStatus: statusOf(exit), detail }
  if (contains(spec.preventRestart, exit)) return { ...ending, forcedRestart: false }
  return contains(spec.forceRestart, exit) ? { ...ending, forcedRestart: true } : ending
}

/** The first failure is the one that counts. */
function worse(first: Ending, second: Ending): Ending {
  return first.result === 'success' && (second.result !== 'success' || first === WELL) ? second : first
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

function never(signal: AbortSignal): Promise<undefined> {
  return aborted(signal)
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.min(ms, 2 ** 31 - 1), undefined, { signal }).catch(() => {
    // Ended early because what it guards has ended.
  })
}
