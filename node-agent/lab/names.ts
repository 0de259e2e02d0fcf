/**
 * What one lab's things are called. Everything a lab makes outside its data folder starts with `fl<id>`, so that a later
 * process can find all of it after a crash with no list to rely on, and two labs never meet.
 */
import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

export interface LabNames {
  /** 6 hex digits, the same for the same data folder however it is spelled. */
  readonly id: string
  /** `fl<id>`; also the name of the underlay's network namespace and of the lab's cgroup folder. */
  readonly prefix: string
  readonly dataDir: string
  readonly runDir: string
  readonly bridge: string
  /** The veth end that lives in the root namespace, and its peer on the bridge. */
  readonly rootLink: string
  readonly rootPort: string
}

/** The names of the lab that belongs to a data folder (which need not exist any more). */
export async function labNames(dataDir: string): Promise<LabNames> {
  const real = await realpathOfMissing(resolve(dataDir))
  const id = createHash('sha256').update(real).digest('hex').slice(0, 6)
  const prefix = `fl${id}`
  return {
    id,
    prefix,
    dataDir: real,
    runDir: `/run/${prefix}`,
    bridge: `${prefix}-br`,
    rootLink: `${prefix}-up`,
    rootPort: `${prefix}-root`,
  }
}

export function machineNetns(names: LabNames, machine: string): string {
  return `${names.prefix}-${machine}`
}

/** The bridge port of the machine with this host number: at most 12 of the 15 characters the kernel allows. */
export function machinePort(names: LabNames, hostNumber: number): string {
  return `${names.prefix}-${hostNumber}`
}

/** Stable over re-creation, as a real machine's is: peers that remember it find it again at once (37 s otherwise). */
export function machineMac(names: LabNames, machine: string): string {
  const digest = createHash('sha256').update(`${names.id}/${machine}`).digest()
  return ['02', ...[...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

/** A machine's name becomes its hostname, a folder and a namespace: an RFC 1123 label. Throws on anything else. */
export function checkMachineName(name: string): void {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
    throw new Error(`machine name '${name}' must be 1-63 lower-case letters, digits or '-', not at an end`)
}

/** True for names that belong to this lab, and not for a lab whose id merely starts alike. */
export function belongsTo(names: LabNames, name: string): boolean {
  return name === names.prefix || name.startsWith(`${names.prefix}-`)
}

/** The real path a folder has or had: `down` must find the lab of a data folder that was removed by hand. */
async function realpathOfMissing(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === '/') throw error
    return join(await realpathOfMissing(dirname(path)), basename(path))
  }
}
