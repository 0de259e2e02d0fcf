/** Ends the processes of a service by its KillMode=: asked first, killed when the time is over. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Launcher, RunningProcess } from './launcher.ts'
import type { LifeState } from './life-state.ts'
import type { ServiceSpec } from './service-spec.ts'

const POLL_MS = 20
/** A process in uninterruptible sleep ignores even SIGKILL; it is not waited for any longer. */
const KILL_WAIT_MS = 5000

export interface TerminationOptions {
  readonly spec: Pick<ServiceSpec, 'killMode' | 'killSignal' | 'sendSigkill' | 'stopTimeoutMs'>
  readonly invocation: string
  readonly launcher: Launcher
  readonly main: RunningProcess | undefined
  readonly show: (change: Partial<LifeState>) => void
}

/** `timeout` when it had to be killed. Nothing to end is success at once. */
export async function terminate(options: TerminationOptions): Promise<'ended' | 'timeout'> {
  const { spec, main, show } = options
  const all = () => watchedProcesses(options)
  const mainOnly = async () => (await all()).filter((pid) => pid === main?.pid)
  if ((await all()).length === 0) return 'ended'
  show({ activeState: 'deactivating', subState: 'stop-sigterm' })
  const awaited = spec.killMode === 'mixed' ? mainOnly : all
  const areGone = await endWith(options, spec.killSignal, awaited, spec.stopTimeoutMs)
  if (areGone && spec.killMode !== 'mixed') return 'ended'
  if (!areGone && !spec.sendSigkill) return 'timeout'
  if (!areGone) show({ subState: 'stop-sigkill' })
  await endWith(options, 'SIGKILL', all, KILL_WAIT_MS)
  return areGone ? 'ended' : 'timeout'
}

async function watchedProcesses({ spec, launcher, invocation, main }: TerminationOptions): Promise<readonly number[]> {
  const all = await launcher.membersOf(invocation, main?.pid ?? 0)
  return spec.killMode === 'process' ? all.filter((pid) => pid === main?.pid) : all
}

/** Each process gets the signal once, those too that appear meanwhile. True when none is left in time. */
async function endWith(
  { launcher, main }: TerminationOptions,
  signal: NodeJS.Signals,
  remaining: () => Promise<readonly number[]>,
  withinMs: number,
): Promise<boolean> {
  const untilMs = performance.now() + withinMs
  const told = new Set<number>()
  let racers = main === undefined ? [] : [main.exited.then(() => 'exit')]
  for (let left = await remaining(); left.length > 0; left = await remaining()) {
    if (performance.now() >= untilMs) return false
    for (const pid of left) {
      if (!told.has(pid)) launcher.signal(pid, signal)
      told.add(pid)
    }
    if ((await Promise.race([delay(POLL_MS), ...racers])) === 'exit') racers = []
  }
  return true
}
