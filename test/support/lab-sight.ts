/** What the machines of a running `up` really run, as their systemds say it, and what the objects say: side by side. */
import { Lease } from '../../crds/core/index.ts'
import { MACHINE_LEASES } from '../../crds/group.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import type { LabFaults } from './lab-faults.ts'
import type { Product } from './product.ts'
import { until } from './until.ts'

export const SLEEPER = '[Service]\nExecStart=/bin/sleep infinity\n'

/** One life of a unit on a machine: another invocation is a restart. */
export interface Run {
  readonly unit: string
  readonly machine: string
  readonly invocation: string
  readonly pid: number
}

export interface LabSight {
  create(name: string, spec?: Partial<Unit['spec']>): Promise<void>
  unit(name: string): Promise<Unit>
  /** Units of these name beginnings that are active where they are bound: name to machine. */
  active(...prefixes: readonly string[]): Promise<Map<string, string>>
  allActive(prefix: string, count: number, timeoutMs?: number): Promise<void>
  ready(machine: string): Promise<string | undefined>
  /** What systemd runs there of the units whose names begin so; asked without the agent. */
  runs(machine: string, prefix: string): Promise<Run[]>
  runsOn(machines: readonly string[], prefix: string): Promise<Run[]>
  /** Resolves when each machine has renewed its lease so many times from now on. */
  renewed(machines: readonly string[], times?: number): Promise<void>
}

export function activeOf(unit: Readonly<Unit>) {
  return unit.status?.conditions?.find(({ type }) => type === 'Active')
}

export function labSight({ admin }: Pick<Product, 'admin'>, faults: Pick<LabFaults, 'inside'>): LabSight {
  const active: LabSight['active'] = async (...prefixes) => {
    const { items } = await admin.list(Unit)
    const wanted = items.filter(({ metadata }) => prefixes.some((prefix) => metadata.name.startsWith(prefix)))
    return new Map(wanted.filter(isActiveInPlace).map(({ metadata, spec }) => [metadata.name, spec.machineName ?? '']))
  }
  const runs: LabSight['runs'] = async (machine, prefix) =>
    runsIn(machine, await faults.inside(machine, `systemctl show -p ${PROPERTIES} '${prefix}*'`))
  const leaseVersion = async (machine: string) =>
    (await admin.get(Lease, machine, { namespace: MACHINE_LEASES })).metadata.resourceVersion
  return {
    create: async (name, spec = {}) =>
      void (await admin.create(Unit, { metadata: { name }, spec: { content: SLEEPER, ...spec } })),
    unit: (name) => admin.get(Unit, name),
    active,
    allActive: async (prefix, count, timeoutMs = 10_000) =>
      void (await until(async () => (await active(prefix)).size === count, { what: `${prefix}* active`, timeoutMs })),
    ready: async (machine) =>
      (await admin.get(Machine, machine)).status?.conditions?.find(({ type }) => type === 'Ready')?.status,
    runs,
    runsOn: async (machines, prefix) => (await Promise.all(machines.map((machine) => runs(machine, prefix)))).flat(),
    renewed: async (machines, times = 1) =>
      void (await Promise.all(machines.map((machine) => renewals(machine, times, leaseVersion)))),
  }
}

function isActiveInPlace(unit: Readonly<Unit>): boolean {
  return activeOf(unit)?.status === 'True' && unit.status?.machineName === unit.spec.machineName
}

const PROPERTIES = 'Id,ActiveState,InvocationID,MainPID'

/** Blocks of KEY=value lines with an empty line between. */
function runsIn(machine: string, text: string): Run[] {
  const blocks = text.split('\n\n').map((block) => new Map(block.split('\n').map((line) => pair(line))))
  return blocks
    .filter((block) => block.get('ActiveState') === 'active')
    .map((block) => ({
      unit: block.get('Id') ?? '',
      machine,
      invocation: block.get('InvocationID') ?? '',
      pid: Number(block.get('MainPID') ?? 0),
    }))
    .toSorted((one, other) => (one.unit < other.unit ? -1 : 1))
}

function pair(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

const RENEWAL_TIMEOUT_MS = 15_000

async function renewals(machine: string, times: number, version: (machine: string) => Promise<string | undefined>) {
  const seen = new Set([await version(machine)])
  const enough = async () => seen.add(await version(machine)).size > times
  await until(enough, { what: `${machine} to renew its lease`, timeoutMs: RENEWAL_TIMEOUT_MS })
}
