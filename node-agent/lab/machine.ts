/** One machine of a lab: its power, its cable and its console. */
import type { BootSpec, Ending } from './boot.ts'
import { consoleTail } from './boot.ts'
import type { CommandResult } from './command.ts'
import { type ExecOptions, execIn } from './exec.ts'
import type { Power, PowerState } from './power.ts'
import { askSystemd, type Completed } from './running.ts'
import { waitFor } from './wait.ts'

const REQUEST_TIMEOUT_MS = 10_000
/** systemd gives its services 90 s to stop; a machine that is not down by then hangs. */
const SHUTDOWN_TIMEOUT_MS = 100_000

export interface MachinePower {
  readonly state: PowerState
  /** PID 1 as this box counts; undefined while the machine is off. */
  pid(): number | undefined
  /** Fresh with every boot; undefined while the machine is off. */
  bootId(): string | undefined
  /** Boots a machine that is off, with what it had on disk. Resolves once PID 1 exists. */
  start(): Promise<void>
  /** Power loss: SIGKILL for all of it. Resolves when all of it is dead. */
  kill(): Promise<void>
  /** An orderly reboot. Resolves when the old boot has ended and the next has begun. */
  reboot(): Promise<void>
  /** An orderly shutdown. Resolves when it is off. */
  poweroff(): Promise<void>
  /** Stops every process of the machine where it is. */
  freeze(): Promise<void>
  thaw(): Promise<void>
}

export interface MachineCable {
  /** Pulls its network cable; `heal` puts it back. Both outlast a reboot. */
  cut(): Promise<void>
  /** Undoes `cut`, and every `isolate` this machine had a part in. */
  heal(): Promise<void>
  /** It and the named machines (all others by default) no longer reach each other; the root namespace still does. */
  isolate(peers?: readonly string[]): Promise<void>
}

/** Beyond seven verbs because it is three small interfaces in one hand; callers ask for the part they need. */
export interface Machine extends MachinePower, MachineCable {
  readonly name: string
  /** IPv4 on the lab's network; kept over boots of this lab. */
  readonly address: string
  /** Kept in the data folder. */
  readonly machineId: string
  /**
   * Runs a program as root inside; resolves whatever its exit status. Rejects when the machine is off, and at the
   * deadline (10 s by default).
   */
  exec(argv: readonly string[], options?: ExecOptions): Promise<CommandResult>
  /** Resolves once systemd calls its boot complete; `degraded` = with failed units. Rejects at once when it is off. */
  waitRunning(timeoutMs: number, signal?: AbortSignal): Promise<Completed>
  /** Told each end of a boot; after `reboot` the lab boots it again by itself. Returns how to stop being told. */
  onEnding(listener: (ending: Ending) => void): () => void
  /** Kills it and removes all of it, its disk included. */
  destroy(): Promise<void>
}

export interface MachineParts extends MachineCable {
  readonly spec: BootSpec
  readonly address: string
  readonly machineId: string
  readonly power: Power
  /** Settles when the verbs given so far have. */
  readonly settled: () => Promise<void>
  readonly destroy: () => Promise<void>
}

export function machine(parts: MachineParts): Machine {
  const { spec, power, cut, heal, isolate, destroy, address, machineId } = parts
  const exec = (argv: readonly string[], options: ExecOptions = {}) => execOn(parts, argv, options)
  return {
    ...{ name: spec.machine, address, machineId, cut, heal, isolate, destroy, exec },
    get state() {
      return power.state()
    },
    pid: () => power.boot()?.pid(),
    bootId: () => power.boot()?.bootId,
    start: power.start,
    kill: power.kill,
    reboot: () => shutDown(parts, 'reboot'),
    poweroff: () => shutDown(parts, 'poweroff'),
    freeze: () => power.setFrozen(true),
    thaw: () => power.setFrozen(false),
    waitRunning: (timeoutMs, signal) => waitRunning(parts, timeoutMs, signal),
    onEnding: power.onEnding,
  }
}

async function execOn({ spec, power }: MachineParts, argv: readonly string[], options: ExecOptions) {
  const pid = power.boot()?.pid()
  if (pid === undefined) throw new Error(`machine ${spec.machine} is off`)
  return execIn({ ...spec, pid }, argv, options)
}

async function shutDown(parts: MachineParts, how: 'reboot' | 'poweroff'): Promise<void> {
  const { spec, power, settled } = parts
  const boot = power.boot()
  if (!boot) throw new Error(`machine ${spec.machine} is off`)
  let ending: Ending | undefined
  void boot.ended.then((word) => {
    ending = word
  })
  const what = `${how} of ${spec.machine}`
  // A machine that has only begun to boot refuses at first. Its own end may cut the answer short: the ending decides.
  const ask = async () => ending ?? (await accepted(parts, how))
  await waitFor(ask, { timeoutMs: REQUEST_TIMEOUT_MS, what: `${what} accepted` })
  const seen = await waitFor(() => ending, { timeoutMs: SHUTDOWN_TIMEOUT_MS, what, everyMs: 5 })
  if (seen !== how) throw new Error(`${what} ended as ${seen}`)
  await settled()
}

async function accepted(parts: MachineParts, how: string): Promise<true | undefined> {
  const result = await execOn(parts, ['systemctl', how], { timeoutMs: REQUEST_TIMEOUT_MS }).catch(() => undefined)
  return result?.code === 0 ? true : undefined
}

async function waitRunning(parts: MachineParts, timeoutMs: number, signal?: AbortSignal): Promise<Completed> {
  const { spec, power, settled } = parts
  const asking = {
    pid: () => power.boot()?.pid(),
    exec: (argv: readonly string[], o: ExecOptions) => execOn(parts, argv, o),
  }
  const deadline = performance.now() + timeoutMs
  const look = async (): Promise<Completed | undefined> => {
    if (power.state() === 'off') {
      await settled() // a reboot may be under way
      if (power.state() === 'off') throw new Error(`machine ${spec.machine} is off: ${await consoleTail(spec.runDir)}`)
    }
    const leftMs = Math.max(1, deadline - performance.now())
    return askSystemd(asking, leftMs, signal)
  }
  return waitFor(look, { timeoutMs, what: `machine ${spec.machine} running`, signal })
}
