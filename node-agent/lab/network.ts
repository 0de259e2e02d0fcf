/**
 * The lab's network: a bridge in a namespace of its own (frames between machines never meet this machine's firewall),
 * one port for each machine and one for the root namespace, which is how the machines reach the API server.
 */
import { readdir } from 'node:fs/promises'
import { must, run } from './command.ts'
import { takeLock } from './lock.ts'
import { belongsTo, type LabNames, machineMac, machineNetns, machinePort } from './names.ts'

/** Where a machine is plugged in. `hostNumber` is the last byte of its address. */
export interface Plug {
  readonly name: string
  readonly hostNumber: number
}

/** What keeps a plugged machine from others; it outlives a reboot, as a pulled cable does. */
export interface Faults {
  readonly cut: boolean
  /** Host numbers it cannot talk to. */
  readonly blocked: ReadonlySet<number>
}

const FIRST_HOST_NUMBER = 11
const LAST_HOST_NUMBER = 254
const LOCK_TIMEOUT_MS = 10_000
/** No port has this address, so frames sent to it end at the bridge. */
const NOWHERE_MAC = '02:00:00:00:00:00'

/** Makes the bridge and the way from the root namespace to it. Resolves with k of the 10.77.k.0/24 it took. */
export async function createUnderlay(names: LabNames, signal?: AbortSignal): Promise<number> {
  // Choosing and taking a network is two steps; two labs that start at once must not choose the same.
  const lock = await takeLock('underlay', LOCK_TIMEOUT_MS, signal)
  try {
    const network = firstFreeNetwork(await usedAddresses())
    await batch([], underlayLines(names, network))
    await batch(['-n', names.prefix], bridgeLines(names))
    return network
  } finally {
    await lock.release()
  }
}

/** Makes the machine's network namespace anew and plugs it into the bridge. What it had before is gone. */
export async function plugIn(names: LabNames, network: number, plug: Plug, faults: Faults): Promise<void> {
  const netns = machineNetns(names, plug.name)
  await unplug(names, plug)
  await batch([], [`netns add ${netns}`, vethLine(names, plug)])
  const port = machinePort(names, plug.hostNumber)
  await Promise.all([
    batch(['-n', names.prefix], [`link set ${port} master ${names.bridge}`, linkLine(port, !faults.cut)]),
    batch(['-n', netns], [...interfaceLines(network, plug), ...blockLines(network, faults.blocked, 'replace')]),
  ])
}

export async function unplug(names: LabNames, plug: Plug): Promise<void> {
  // The namespace dies later than this command returns; its port is removed by name so that the name is free again.
  const port = machinePort(names, plug.hostNumber)
  await force(['-n', names.prefix], [`link del ${port}`])
  await force([], [`netns del ${machineNetns(names, plug.name)}`])
}

/** Pulls or plugs the machine's cable at the bridge: the machine itself notices only that its carrier is gone. */
export async function setCable(names: LabNames, plug: Plug, plugged: boolean): Promise<void> {
  await batch(['-n', names.prefix], [linkLine(machinePort(names, plug.hostNumber), plugged)])
}

/** Stops or allows traffic from a machine to others, pods' included: their frames go to the same neighbours. */
export async function setBlocked(
  names: LabNames,
  network: number,
  plug: Plug,
  hosts: Iterable<number>,
  blocked: boolean,
): Promise<void> {
  const lines = blockLines(network, hosts, blocked ? 'replace' : 'del')
  await (blocked ? batch : force)(['-n', machineNetns(names, plug.name)], lines)
}

/** Removes every namespace and interface of the lab, whatever of them is there. */
export async function removeNetwork(names: LabNames): Promise<void> {
  const { namespaces, links } = await networkResidue(names)
  await force([], [...links.map((link) => `link del ${link}`), ...namespaces.map((netns) => `netns del ${netns}`)])
}

/** The lab's network namespaces, and its interfaces in the root namespace. */
export async function networkResidue(names: LabNames): Promise<{ namespaces: string[]; links: string[] }> {
  const mine = (all: readonly string[]): string[] => all.filter((name) => belongsTo(names, name))
  const [namespaces, links] = await Promise.all([readdir('/run/netns').catch(() => []), readdir('/sys/class/net')])
  return { namespaces: mine(namespaces), links: mine(links) }
}

export function address(network: number, hostNumber: number): string {
  return `10.77.${network}.${hostNumber}`
}

/** The lowest host number no machine has; throws when the network is full. */
export function freeHostNumber(taken: ReadonlySet<number>): number {
  for (let number = FIRST_HOST_NUMBER; number <= LAST_HOST_NUMBER; number += 1) if (!taken.has(number)) return number
  throw new Error(`a lab holds at most ${LAST_HOST_NUMBER - FIRST_HOST_NUMBER + 1} machines`)
}

/** The lowest k whose 10.77.k.0/24 none of the given addresses and route targets is in. */
export function firstFreeNetwork(used: readonly string[]): number {
  const taken = new Set(used.flatMap((text) => /^10\.77\.(\d+)\./.exec(text)?.[1] ?? []).map(Number))
  for (let network = 0; network < 256; network += 1) if (!taken.has(network)) return network
  throw new Error('every network 10.77.0.0/24 to 10.77.255.0/24 is in use on this machine')
}

async function usedAddresses(): Promise<string[]> {
  const [addresses, routes] = await Promise.all([
    must('ip', ['-4', '-oneline', 'address', 'show']),
    must('ip', ['-4', 'route', 'show', 'table', 'all']),
  ])
  return `${addresses}\n${routes}`.match(/\b10\.77\.\d+\.\d+/g) ?? []
}

function underlayLines(names: LabNames, network: number): string[] {
  return [
    `netns add ${names.prefix}`,
    `link add ${names.rootLink} type veth peer name ${names.rootPort} netns ${names.prefix}`,
    `address add ${address(network, 1)}/24 dev ${names.rootLink}`,
    `link set ${names.rootLink} up`,
  ]
}

function bridgeLines(names: LabNames): string[] {
  return [
    'link set lo up',
    `link add ${names.bridge} type bridge forward_delay 0`,
    `link set ${names.bridge} up`,
    `link set ${names.rootPort} master ${names.bridge}`,
    `link set ${names.rootPort} up`,
  ]
}

function vethLine(names: LabNames, { name, hostNumber }: Plug): string {
  const inside = `eth0 netns ${machineNetns(names, name)} address ${machineMac(names, name)}`
  return `link add ${inside} type veth peer name ${machinePort(names, hostNumber)} netns ${names.prefix}`
}

function interfaceLines(network: number, { hostNumber }: Plug): string[] {
  return [
    'link set lo up',
    `address add ${address(network, hostNumber)}/24 broadcast + dev eth0`,
    'link set eth0 up',
    `route add default via ${address(network, 1)}`,
  ]
}

function blockLines(network: number, hosts: Iterable<number>, verb: 'replace' | 'del'): string[] {
  const neighbour = verb === 'replace' ? ` lladdr ${NOWHERE_MAC} nud permanent` : ''
  return [...hosts].map((host) => `neighbor ${verb} ${address(network, host)}${neighbour} dev eth0`)
}

function linkLine(link: string, up: boolean): string {
  return `link set ${link} ${up ? 'up' : 'down'}`
}

async function batch(where: readonly string[], lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await must('ip', [...where, '-batch', '-'], { input: `${lines.join('\n')}\n` })
}

/** For removals: what is not there is removed already, so what `ip` says about it does not matter. */
async function force(where: readonly string[], lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run('ip', [...where, '-force', '-batch', '-'], { input: `${lines.join('\n')}\n` })
}
