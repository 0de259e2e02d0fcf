/**
 * Faults for the machines of a running `up`, from outside and from inside them: `await using faults = labFaults(product)`
 * (or `faults.restore()` in `after`, before the product is stopped) undoes whatever is still broken. Every verb may be
 * called again; it resolves when the fault is there, respectively gone. Needs `FAULTS_NEED` (requirements.ts).
 */
import { setTimeout as delay } from 'node:timers/promises'
import { findHierarchies, setFrozen } from '../../node-agent/lab/cgroups.ts'
import type { CommandResult } from '../../node-agent/lab/command.ts'
import { type ExecOptions, execIn } from '../../node-agent/lab/exec.ts'
import { type LabNames, labNames } from '../../node-agent/lab/names.ts'
import { type DiskFaults, diskFaults } from './lab-disk-faults.ts'
import { type NetworkFaults, networkFaults } from './lab-network-faults.ts'
import type { Product } from './product.ts'
import { firstProcessOf } from './traces.ts'
import { until } from './until.ts'

export type { Cut } from './lab-network-faults.ts'
export const FAULTS_NEED = ['lab', 'nftables'] as const

/** A fault's duration, where it is the very thing that a test is about. */
export function lasting(ms: number): Promise<void> {
  return delay(ms)
}

export interface LabFaults extends AsyncDisposable, NetworkFaults, DiskFaults {
  /** Runs a program as root inside, without the agent; whatever its exit status. Rejects while the machine is off. */
  exec(machine: string, argv: readonly string[], options?: ExecOptions): Promise<CommandResult>
  /** A shell line inside; what it printed, trimmed. Rejects when it fails. */
  inside(machine: string, script: string): Promise<string>
  /** Stops every process of the machine where it is. */
  freeze(machine: string): Promise<void>
  thaw(machine: string): Promise<void>
  /** Power loss: SIGKILL of its first process. `up` boots it again after 15 s. */
  killMachine(machine: string): Promise<void>
  /** Resolves when the next boot's first process is there. `abrupt`: at once, as after a crash; nothing is stopped. */
  reboot(machine: string, options?: { readonly abrupt?: boolean }): Promise<void>
  /** Signals to the agent's process alone. systemd starts it again 1 s after it has ended. */
  killAgent(machine: string): Promise<void>
  stopAgent(machine: string): Promise<void>
  continueAgent(machine: string): Promise<void>
  killDbus(machine: string): Promise<void>
  /** SIGSTOP to `up` itself, with API server and controllers: the machines run on. */
  pauseControlPlane(): void
  resumeControlPlane(): void
  /** Undoes all that lasts: cuts, frozen machines, stopped agents, full disks, a paused control plane. */
  restore(): Promise<void>
}

const AGENT = 'flotilla-agent.service'
const BOOT_TIMEOUT_MS = 30_000

interface Lasting {
  readonly frozen: Set<string>
  readonly stoppedAgents: Set<string>
}

export function labFaults(product: Pick<Product, 'dataDir' | 'process'>): LabFaults {
  const broken: Lasting = { frozen: new Set(), stoppedAgents: new Set() }
  const names = labNames(product.dataDir)
  const exec: LabFaults['exec'] = (machine, argv, options) => execOn(product.dataDir, names, machine, argv, options)
  const inside = (machine: string, script: string) => must(exec, machine, script)
  const network = networkFaults(names)
  const disk = diskFaults(inside)
  const lastingVerbs = { ...freezing(names, broken), ...agentSignals(inside, broken) }
  const pauseControlPlane = () => void process.kill(product.process.pid, 'SIGSTOP')
  const resumeControlPlane = () => void process.kill(product.process.pid, 'SIGCONT')
  async function restore(): Promise<void> {
    resumeControlPlane()
    // A machine that went down took its faults with it, and refuses to have them undone.
    await Promise.allSettled([...broken.frozen].map(lastingVerbs.thaw))
    await Promise.allSettled([...broken.stoppedAgents].map(lastingVerbs.continueAgent))
    await network.healAll()
    await disk.emptyAll()
  }
  return {
    ...{ exec, inside, ...network, ...disk, ...lastingVerbs, ...ends(product.dataDir, inside) },
    ...{ pauseControlPlane, resumeControlPlane, restore },
    [Symbol.asyncDispose]: restore,
  }
}

async function execOn(
  dataDir: string,
  names: Promise<LabNames>,
  machine: string,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<CommandResult> {
  const pid = await firstProcessOf(dataDir, machine)
  if (pid === undefined) throw new Error(`${machine} is off`)
  const [hierarchies, known] = await Promise.all([findHierarchies(), names])
  return execIn({ names: known, machine, hierarchies, pid }, argv, options)
}

async function must(exec: LabFaults['exec'], machine: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await exec(machine, ['bash', '-c', script])
  if (code !== 0) throw new Error(`${machine}: ${script}: ended with ${code}: ${stderr}${stdout}`)
  return stdout.trim()
}

function freezing(names: Promise<LabNames>, { frozen }: Lasting): Pick<LabFaults, 'freeze' | 'thaw'> {
  const set = async (machine: string, isFrozen: boolean) =>
    setFrozen(await findHierarchies(), await names, machine, isFrozen)
  return {
    freeze: async (machine) => {
      frozen.add(machine)
      await set(machine, true)
    },
    thaw: async (machine) => {
      await set(machine, false)
      frozen.delete(machine)
    },
  }
}

type Inside = LabFaults['inside']
type AgentSignals = Pick<LabFaults, 'killAgent' | 'stopAgent' | 'continueAgent' | 'killDbus'>

function agentSignals(inside: Inside, { stoppedAgents }: Lasting): AgentSignals {
  const signal = async (machine: string, name: string, unit = AGENT) =>
    void (await inside(machine, `systemctl kill --kill-whom=main --signal=${name} ${unit}`))
  return {
    killAgent: (machine) => signal(machine, 'KILL'),
    killDbus: (machine) => signal(machine, 'KILL', 'dbus.service'),
    stopAgent: async (machine) => {
      stoppedAgents.add(machine)
      await signal(machine, 'STOP')
    },
    continueAgent: async (machine) => {
      await signal(machine, 'CONT')
      stoppedAgents.delete(machine)
    },
  }
}

function ends(dataDir: string, inside: Inside): Pick<LabFaults, 'killMachine' | 'reboot'> {
  const first = (machine: string) => firstProcessOf(dataDir, machine)
  const known = async (machine: string): Promise<number> => {
    const pid = await first(machine)
    if (pid === undefined) throw new Error(`${machine} is off`)
    return pid
  }
  return {
    killMachine: async (machine) => {
      const pid = await known(machine)
      process.kill(pid, 'SIGKILL')
      await until(async () => (await first(machine)) !== pid, { what: `${machine} dead` })
    },
    reboot: async (machine, { abrupt = false } = {}) => {
      const pid = await known(machine)
      // Its own end may cut the answer short: the next boot tells.
      await inside(machine, `systemctl reboot ${abrupt ? '--force --force' : ''}`).catch(() => undefined)
      const next = async () => {
        const now = await first(machine)
        return now !== undefined && now !== pid
      }
      await until(next, { what: `${machine} booting again`, timeoutMs: BOOT_TIMEOUT_MS })
    },
  }
}
