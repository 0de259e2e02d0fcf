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
  const { spec, launcher, main, show } = options
  const watched = watchedProcesses(options)
  if (watched().length === 0) return 'ended'
  show({ activeState: 'deactivating', subState: 'stop-sigterm' })
  const asked = spec.killMode === 'control-group' ? watched() : watched().filter((pid) => pid === main?.pid)
  for (const pid of asked) launcher.signal(pid, spec.killSignal)
  const untilMs = performance.now() + spec.stopTimeoutMs
  const mainOnly = () => watched().filter((pid) => pid === main?.pid)
  if (await areGone(spec.killMode === 'mixed' ? mainOnly : watched, untilMs, main)) {
    if (spec.killMode === 'mixed') await kill(watched, launcher, main)
    return 'ended'
  }
  if (!spec.sendSigkill) return 'timeout'
  show({ subState: 'stop-sigkill' })
  await kill(watched, launcher, main)
  return 'timeout'
}

function watchedProcesses({ spec, launcher, invocation, main }: TerminationOptions): () => readonly number[] {
  const all = () => launcher.membersOf(invocation, main?.pid ?? 0)
  return spec.killMode === 'process' ? () => all().filter((pid) => pid === main?.pid) : all
}

async function kill(
  watched: () => readonly number[],
  launcher: Launcher,
  main: RunningProcess | undefined,
): Promise<void> {
  const untilMs = performance.now() + KILL_WAIT_MS
  // Again and again: a process may fork between the look and the signal.
  while (watched().length > 0 && performance.now() < untilMs) {
    for (const pid of watched()) launcher.signal(pid, 'SIGKILL')
    await areGone(watched, performance.now() + 2 * POLL_MS, main)
  }
}

async function areGone(
  watched: () => readonly number[],
  untilMs: number,
  main: RunningProcess | undefined,
): Promise<boolean> {
  let racers = main === undefined ? [] : [main.exited.then(() => 'exit')]
  while (watched().length > 0) {
    if (performance.now() >= untilMs) return false
    if ((await Promise.race([delay(POLL_MS), ...racers])) === 'exit') racers = []
  }
  return true
}
