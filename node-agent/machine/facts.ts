/** What this machine is: read from the machine itself, once at start and again when the agent reports. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import {
  arch,
  availableParallelism,
  hostname,
  type NetworkInterfaceInfo,
  networkInterfaces,
  release,
  totalmem,
} from 'node:os'
import { promisify } from 'node:util'
import type { Machine } from '../../crds/machine.ts'

type Status = NonNullable<Machine['status']>

/** Facts that do not change while the machine is up, addresses excepted. */
export type Facts = Pick<
  Status,
  | 'machineID'
  | 'bootID'
  | 'addresses'
  | 'capacity'
  | 'allocatable'
  | 'osImage'
  | 'osVersion'
  | 'kernelVersion'
  | 'architecture'
  | 'systemdVersion'
>

/** As many as one manager handles well; placement counts against it. */
const MAX_UNITS = 500
/** Kept back for the agent and the system itself. */
const RESERVED_MEMORY_KIB = 128 * 1024
const BOOT_ID = '/proc/sys/kernel/random/boot_id'
const SYSTEMCTL_DEADLINE_MS = 2_000
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** `address` overrides the one found (the first IPv4 address that is not the machine's own loopback). */
export async function readFacts(options: {
  readonly hasSystemd: boolean
  readonly address?: string | undefined
}): Promise<Facts> {
  const [machineID, bootID, os, systemdVersion] = await Promise.all([
    readMachineId(),
    readTrimmed(BOOT_ID),
    readOsRelease(),
    options.hasSystemd ? readSystemdVersion() : undefined,
  ])
  return {
    machineID,
    bootID,
    addresses: addresses(networkInterfaces(), hostname(), options.address),
    ...resources(availableParallelism(), totalmem()),
    ...os,
    kernelVersion: release(),
    architecture: ARCHITECTURES[arch()] ?? arch(),
    ...(systemdVersion === undefined ? {} : { systemdVersion }),
  }
}

/**
 * Changes when everything that ran here is gone: at a boot, and when a container is started again, which keeps its host's
 * boot id but not its first process.
 */
export async function readEpoch(): Promise<string> {
  const [bootId, init] = await Promise.all([readTrimmed(BOOT_ID), readTrimmed('/proc/1/stat')])
  // Field 22, counted after the name in parentheses, which may hold anything: the start of process 1 in clock ticks.
  const startTicks = init.slice(init.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${bootId}/${startTicks}`
}

async function readMachineId(): Promise<string> {
  return (await readTrimmed('/etc/machine-id')) || (await readTrimmed('/var/lib/dbus/machine-id'))
}

export function resources(cpus: number, memoryBytes: number): Pick<Facts, 'capacity' | 'allocatable'> {
  const memoryKib = Math.floor(memoryBytes / 1024)
  const common = { cpu: String(cpus), units: String(MAX_UNITS) }
  return {
    capacity: { ...common, memory: `${memoryKib}Ki` },
    allocatable: { ...common, memory: `${Math.max(0, memoryKib - RESERVED_MEMORY_KIB)}Ki` },
  }
}

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

export function addresses(interfaces: Interfaces, host: string, given?: string): NonNullable<Facts['addresses']> {
  const found = given ?? firstOutsideAddress(interfaces)
  return [
    ...(found === undefined ? [] : [{ type: 'InternalIP' as const, address: found }]),
    { type: 'Hostname' as const, address: host },
  ]
}

export function firstOutsideAddress(interfaces: Interfaces): string | undefined {
  for (const infos of Object.values(interfaces)) {
    const info = infos?.find((candidate) => candidate.family === 'IPv4' && !candidate.internal)
    if (info) return info.address
  }
  return undefined
}

async function readOsRelease(): Promise<Pick<Facts, 'osImage' | 'osVersion'>> {
  const text = (await readTrimmed('/etc/os-release')) || (await readTrimmed('/usr/lib/os-release'))
  const fields = parseOsRelease(text)
  const version = fields.get('VERSION_ID')
  return {
    osImage: fields.get('PRETTY_NAME') ?? fields.get('NAME') ?? 'Linux',
    ...(version ? { osVersion: version } : {}),
  }
}

/** os-release is shell-like: KEY=value, the value perhaps in quotes. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, key, value] = /^([A-Z_][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? []
    if (key !== undefined && value !== undefined) fields.set(key, value.replace(/^(["'])(.*)\1$/, '$2'))
  }
  return fields
}

async function readSystemdVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('systemctl', ['--version'], { timeout: SYSTEMCTL_DEADLINE_MS })
    return /^systemd (\S+)/.exec(stdout)?.[1]
  } catch {
    // The version is for people to read; a machine without the tool still works over D-Bus.
    return undefined
  }
}

async function readTrimmed(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch {
    // Containers and small systems lack some of these files; the field is then left empty.
    return ''
  }
}
