/**
 * A lab: several machines on one Linux box, each with its own namespaces, systemd, D-Bus, journal, identity and network
 * address, sharing this box's kernel and (read-only) /usr. They live no longer than the process that opened the lab.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BootSpec } from './boot.ts'
import { type Cable, type Cables, cables } from './cables.ts'
import type { Hierarchy } from './cgroup-hierarchies.ts'
import { findHierarchies, removeFolders } from './cgroups.ts'
import { hostInit } from './host-init.ts'
import { inOrder } from './in-order.ts'
import { type Lock, tryLock } from './lock.ts'
import type { LabLog } from './log.ts'
import { type Machine, machine as machineOf } from './machine.ts'
import { buildDisk } from './machine-disk.ts'
import { type Bind, bindLines, checkSources, type MachineFile, type MachineUnit } from './machine-files.ts'
import { checkMachineName, type LabNames, labNames } from './names.ts'
import { address, createUnderlay, freeHostNumber, plugIn, unplug } from './network.ts'
import { type Power, power } from './power.ts'
import { removeMachines, removeRunDir, sweep } from './residue.ts'

export interface LabOptions {
  /** Made where it does not exist. One lab at a time for a folder. */
  readonly dataDir: string
  readonly log: LabLog
  readonly signal?: AbortSignal
}

export interface CreateOptions {
  readonly binds?: readonly Bind[]
  readonly files?: readonly MachineFile[]
  readonly units?: readonly MachineUnit[]
  readonly signal?: AbortSignal
}

export interface Lab {
  /** 6 hex digits that all the lab's names start with, after `fl`. */
  readonly id: string
  /** 10.77.k.1: where the root namespace listens for the machines, and they for it. */
  readonly hostAddress: string
  readonly cidr: string
  /** The machines there are, in the order of their creation. */
  machines(): readonly Machine[]
  /**
   * Makes a machine of that name (on its old disk if it has one) and boots it; resolves once its PID 1 exists, see
   * `waitRunning`. Rejects, leaving nothing but the disk, when that fails or `signal` aborts.
   */
  create(name: string, options?: CreateOptions): Promise<Machine>
  /** Kills all machines and removes all but their disks (those too with `removeData`). Safe to call twice. */
  close(options?: { readonly removeData?: boolean }): Promise<void>
}

interface Entry {
  readonly cable: Cable
  readonly power: Power
  machine: Machine | undefined
}

interface Open {
  readonly names: LabNames
  readonly hierarchies: readonly Hierarchy[]
  readonly network: number
  readonly log: LabLog
  readonly lock: Lock
  readonly entries: Map<string, Entry>
  readonly cables: Cables
  /** Creations under way; `close` waits for them, so that nothing appears behind it. */
  readonly creating: Set<Promise<unknown>>
}

/** Opens the lab of a data folder, after removing what a crashed one left. Rejects when another process has it open. */
export async function openLab({ dataDir, log, signal }: LabOptions): Promise<Lab> {
  await mkdir(dataDir, { recursive: true })
  const names = await labNames(dataDir)
  const lock = await tryLock(names.prefix)
  if (!lock) throw new Error(`the machines of ${names.dataDir} are already run by another process`)
  try {
    await sweep(names)
    await mkdir(names.runDir, { recursive: true, mode: 0o700 })
    await writeFile(join(names.runDir, 'host-init'), hostInit)
    const network = await createUnderlay(names, signal)
    const entries = new Map<string, Entry>()
    const reach = cables(names, network, () => [...entries.values()].map(({ cable }) => cable))
    const hierarchies = await findHierarchies()
    return face({ names, hierarchies, network, log, lock, entries, cables: reach, creating: new Set() })
  } catch (error) {
    await sweep(names)
    await lock.release()
    throw error
  }
}

function face(lab: Open): Lab {
  let closing: Promise<void> | undefined
  return {
    id: lab.names.id,
    hostAddress: address(lab.network, 1),
    cidr: `${address(lab.network, 0)}/24`,
    machines: () => [...lab.entries.values()].flatMap(({ machine }) => machine ?? []),
    create: async (name, options = {}) => {
      if (closing !== undefined) throw new Error('the lab is closed')
      const creation = create(lab, name, options)
      lab.creating.add(creation)
      return creation.finally(() => lab.creating.delete(creation))
    },
    close: ({ removeData = false } = {}) => {
      closing ??= close(lab, removeData)
      return closing
    },
  }
}

async function create(lab: Open, name: string, options: CreateOptions): Promise<Machine> {
  checkMachineName(name)
  if (lab.entries.has(name)) throw new Error(`machine ${name} exists already`)
  const binds = bindLines(options.binds ?? [])
  // Name and address are taken before the first await: machines created at once get theirs in the order of the calls.
  const entry = reserve(lab, name, binds)
  try {
    await checkSources(options.binds ?? [])
    const home = address(lab.network, entry.cable.plug.hostNumber)
    const machineId = await machineIdOf(diskOf(lab, name))
    await buildDisk(diskOf(lab, name), { name, machineId, address: home }, options)
    options.signal?.throwIfAborted()
    await entry.power.start()
    options.signal?.throwIfAborted()
    const machine = machineOf({
      ...{ spec: bootSpec(lab, name, binds), address: home, machineId, power: entry.power },
      settled: () => entry.cable.queue(async () => {}),
      cut: () => lab.cables.cut(entry.cable),
      heal: () => lab.cables.heal(entry.cable),
      isolate: (peers) => lab.cables.isolate(entry.cable, peersOf(lab, peers)),
      destroy: () => remove(lab, name, entry, true),
    })
    entry.machine = machine
    return machine
  } catch (error) {
    await remove(lab, name, entry, false)
    throw error
  }
}

function reserve(lab: Open, name: string, binds: string): Entry {
  const taken = new Set([...lab.entries.values()].map(({ cable }) => cable.plug.hostNumber))
  const plug = { name, hostNumber: freeHostNumber(taken) }
  const cable: Cable = { plug, faults: { cut: false, blocked: new Set() }, queue: inOrder() }
  const spec = bootSpec(lab, name, binds)
  const plugMe = () => plugIn(lab.names, lab.network, plug, cable.faults)
  const entry: Entry = {
    cable,
    power: power({ spec, queue: cable.queue, plugIn: plugMe, log: lab.log }),
    machine: undefined,
  }
  lab.entries.set(name, entry)
  return entry
}

function bootSpec({ names, hierarchies }: Open, machine: string, binds: string): BootSpec {
  const dataDir = join(names.dataDir, 'machines', machine)
  return { names, machine, hierarchies, dataDir, runDir: join(names.runDir, machine), binds }
}

function diskOf({ names }: Open, machine: string): string {
  return join(names.dataDir, 'machines', machine)
}

/** The id its disk has kept, or a new one. */
async function machineIdOf(disk: string): Promise<string> {
  const kept = await readFile(join(disk, 'etc/machine-id'), 'utf8').catch(() => '')
  return /^[0-9a-f]{32}$/.test(kept.trim()) ? kept.trim() : randomUUID().replaceAll('-', '')
}

function peersOf({ entries }: Open, peers?: readonly string[]): Cable[] {
  if (!peers) return [...entries.values()].filter(({ machine }) => machine).map(({ cable }) => cable)
  return peers.map((peer) => {
    const entry = entries.get(peer)
    if (!entry) throw new Error(`there is no machine ${peer}`)
    return entry.cable
  })
}

async function remove(lab: Open, name: string, entry: Entry, removeDisk: boolean): Promise<void> {
  await entry.power.retire()
  if (lab.entries.get(name) !== entry) return // destroyed before
  await Promise.all([
    lab.cables.heal(entry.cable).catch(() => {}), // a block on a peer must not meet the next machine with this address
    removeFolders(lab.hierarchies, lab.names, name),
  ])
  await unplug(lab.names, entry.cable.plug)
  await removeRunDir(join(lab.names.runDir, name))
  if (removeDisk) await rm(diskOf(lab, name), { recursive: true, force: true })
  lab.entries.delete(name)
}

async function close(lab: Open, removeData: boolean): Promise<void> {
  await Promise.allSettled([...lab.entries.values()].map(({ power }) => power.retire()))
  await Promise.allSettled(lab.creating)
  await sweep(lab.names) // kills what a failed retirement left
  if (removeData) await removeMachines(lab.names)
  await lab.lock.release()
}
