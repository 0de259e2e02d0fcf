/**
 * A fleet of real machines as its users see it: told what to do by kubectl, fleet's API and the command, and believed
 * only for what systemd says on each machine.
 */
import { findCondition } from '../../controllers/lib/conditions.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { type BoundKubectl, bindKubectl } from './expect-kubectl.ts'
import { askFleet, type FleetAnswer } from './fleet-v1-client.ts'
import { type Fleetctl, fleetctl } from './fleetctl-moves.ts'
import { kubectls } from './kubectl.ts'
import { openMachineShell } from './machine-shell.ts'
import { flotilla, type Product, startProduct } from './product.ts'
import { until } from './until.ts'

/** One unit on one machine, in the words of that machine's systemd. */
export interface SeenUnit {
  readonly unit: string
  readonly machine: string
  readonly load: string
  readonly active: string
  readonly sub: string
}

export interface Wanted {
  /** Lines of the [X-Fleet] section. */
  readonly xFleet?: readonly string[] | string
  /** Lines of the [Service] section; it sleeps unless given. */
  readonly service?: readonly string[]
  readonly placement?: Unit['spec']['placement']
  readonly spec?: Partial<Unit['spec']>
  readonly labels?: Readonly<Record<string, string>>
}
export type WantedUnits = Readonly<Record<string, Wanted>>

export interface LabFleet extends AsyncDisposable {
  readonly product: Product
  /** m1, m2, … */
  readonly machines: readonly string[]
  /** Of /etc/machine-id, by name of machine. */
  readonly ids: Readonly<Record<string, string>>
  readonly kubectl: BoundKubectl
  readonly fleet: Fleetctl
  /** A call of fleet's API; `path` begins behind /fleet/v1/. */
  ask(method: string, path: string, body?: unknown): Promise<FleetAnswer>
  /** kubectl apply, of all of them at once. */
  apply(units: WantedUnits): Promise<string>
  /** The same, on what kubectl says when it is refused. */
  applyRefused(units: WantedUnits): Promise<string>
  desire(state: 'inactive' | 'loaded' | 'launched', ...names: readonly string[]): Promise<unknown>
  /** Deletes every unit, and waits until no machine has anything of them. */
  clear(): Promise<void>
  /** kubectl label; `key-` takes one away. */
  label(machine: string, ...labels: readonly string[]): Promise<unknown>
  /** What a shell line prints on a machine. */
  on(machine: string, script: string): Promise<string>
  /** Every unit that was not there when the machines booted. */
  seen(): Promise<readonly SeenUnit[]>
  /** The machines on which systemd has each unit active. */
  running(): Promise<Readonly<Record<string, readonly string[]>>>
  /** Once the API says that all of them are active on their machines; then what systemd says of them, in their order. */
  activeOn(...names: readonly string[]): Promise<string[]>
  /** Once `isSo` of the object. */
  unitWhen(name: string, isSo: (unit: Unit) => boolean, timeoutMs?: number): Promise<Unit>
  /** Once the unit is on no machine: what its condition says about why. */
  waits(name: string): Promise<string>
  /** What `flotilla why` prints. */
  why(name: string): Promise<string>
  mainPid(unit: string, machine: string): Promise<string>
  /** `UNIT MACHINE` of what is active only in list-units, or only for systemd; empty where the two agree. */
  disagreements(): Promise<string[]>
}

const SLEEP = ['ExecStart=/bin/sleep infinity', 'TimeoutStopSec=2']
const MOVE_TIMEOUT_MS = 10_000

export const becauseOf = (unit: Unit): string | undefined => findCondition(unit.status?.conditions, 'Active')?.reason
export const isActive = ({ spec, status, metadata }: Unit): boolean => {
  const active = findCondition(status?.conditions, 'Active')
  const isOwn = status?.machineName !== undefined && status.machineName === spec.machineName
  return isOwn && active?.status === 'True' && active.observedGeneration === metadata.generation
}

/** A unit file of a service that sleeps, with these lines of [X-Fleet]. */
export function contentOf({ service = SLEEP, xFleet = [] }: Pick<Wanted, 'service' | 'xFleet'> = {}): string {
  const lines = typeof xFleet === 'string' ? [xFleet] : xFleet
  return `[Service]\n${service.join('\n')}\n${lines.length > 0 ? `\n[X-Fleet]\n${lines.join('\n')}\n` : ''}`
}

function listOf(units: WantedUnits): string {
  const items = Object.entries(units).map(([name, { placement, spec, labels, ...text }]) => ({
    apiVersion: Unit.apiVersion,
    kind: Unit.kind,
    metadata: { name, ...(labels && { labels }) },
    spec: { content: contentOf(text), ...(placement && { placement }), ...spec },
  }))
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
}

type Bound = Pick<LabFleet, 'product' | 'machines' | 'kubectl' | 'on'>

const LIST_UNITS = 'systemctl list-units --all --plain --full --no-legend --no-pager'

async function listUnits({ machines, on }: Bound): Promise<SeenUnit[]> {
  const lists = await Promise.all(machines.map((machine) => on(machine, LIST_UNITS)))
  return lists.flatMap((text, at) =>
    text.split('\n').map((line) => {
      const [unit = '', load = '', active = '', sub = ''] = line.replace(/^● /, '').trim().split(/\s+/)
      return { unit, machine: machines[at] ?? '', load, active, sub }
    }),
  )
}

const TYPES = /\.(service|socket|timer|path|target)$/
/** Of what the product starts for itself, such as what runs an `exec`. */
const PRODUCT = 'flotilla-'

/** What systemd says, less what it said of the bare machines. */
async function createEyes(bound: Bound): Promise<Pick<LabFleet, 'seen' | 'running'>> {
  const own = new Set((await listUnits(bound)).map(({ unit }) => unit))
  const isOurs = ({ unit }: SeenUnit) => !own.has(unit) && TYPES.test(unit) && !unit.startsWith(PRODUCT)
  const seen = async () => (await listUnits(bound)).filter(isOurs)
  const running = async () => {
    const found: Record<string, string[]> = {}
    for (const { unit, machine, active } of await seen())
      if (active === 'active') found[unit] = [...(found[unit] ?? []), machine]
    return found
  }
  return { seen, running }
}

function createWaits({ product }: Bound): Pick<LabFleet, 'unitWhen' | 'waits'> {
  const unitWhen: LabFleet['unitWhen'] = (name, isSo, timeoutMs = MOVE_TIMEOUT_MS) => {
    const look = async () => {
      const unit = await product.admin.get(Unit, name)
      if (!isSo(unit)) throw new Error(JSON.stringify({ ...unit.spec, ...unit.status, content: '…' }))
      return unit
    }
    return until(look, { what: name, timeoutMs })
  }
  const scheduled = (unit: Unit) => findCondition(unit.status?.conditions, 'Scheduled')
  const waits: LabFleet['waits'] = async (name) => {
    const unit = await unitWhen(name, (it) => !it.spec.machineName && scheduled(it)?.status === 'False')
    return scheduled(unit)?.message ?? ''
  }
  return { unitWhen, waits }
}

function createHands(bound: Bound): Pick<LabFleet, 'apply' | 'applyRefused' | 'desire' | 'label' | 'why'> {
  const { product, kubectl } = bound
  const apply = (units: WantedUnits) => kubectl.given(listOf(units), 'apply', '-f', '-')
  return {
    apply,
    applyRefused: (units) =>
      apply(units).then(
        (said) => Promise.reject(new Error(`was not refused: ${said}`)),
        ({ message }: Error) => message,
      ),
    desire: (state, ...names) => {
      const patch = JSON.stringify({ spec: { desiredState: state } })
      return kubectl('patch', '--type=merge', '-p', patch, ...names.map((name) => `unit/${name}`))
    },
    label: (machine, ...labels) => kubectl('label', '--overwrite', 'machine', machine, ...labels),
    why: async (name) => (await flotilla(['why', `unit/${name}`], product)).stdout,
  }
}

async function disagreements(lab: Pick<LabFleet, 'fleet' | 'ids' | 'seen'>): Promise<string[]> {
  const [states, seen] = await Promise.all([lab.fleet.listUnits(), lab.seen()])
  const machineOf = new Map(Object.entries(lab.ids).map(([machine, id]) => [id, machine]))
  const told = states
    .filter(({ systemdActiveState }) => systemdActiveState === 'active')
    .map(({ name, machineID }) => `${name} ${machineOf.get(machineID)}`)
  const running = seen.filter(({ active }) => active === 'active').map(({ unit, machine }) => `${unit} ${machine}`)
  return [...told.filter((each) => !running.includes(each)), ...running.filter((each) => !told.includes(each))]
}

async function idsOf({ admin }: Product): Promise<Record<string, string>> {
  const { items } = await admin.list(Machine)
  return Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status?.machineID ?? '']))
}

/** Starts `up` with so many machines. */
export async function startLabFleet(machineCount: number): Promise<LabFleet> {
  const kubectl = (await kubectls()).at(-1)
  if (!kubectl) throw new Error('there is no kubectl')
  const product = await startProduct(['up', '--machines', String(machineCount)])
  const machines = Array.from({ length: machineCount }, (_, at) => `m${at + 1}`)
  const shells = new Map(machines.map((machine) => [machine, openMachineShell(product, machine)]))
  const on: LabFleet['on'] = (machine, script) =>
    shells.get(machine)?.run(script) ?? Promise.reject(new Error(`there is no machine ${machine}`))
  const bound: Bound = { product, machines, on, kubectl: bindKubectl(kubectl, () => product.kubeconfig) }
  const url = product.endpoints.fleetV1 ?? ''
  const eyes = await createEyes(bound)
  const waits = createWaits(bound)
  const hands = createHands(bound)
  const [ids, fleet] = [await idsOf(product), fleetctl(url)]
  return {
    ...{ ...bound, ...eyes, ...waits, ...hands, ids, fleet },
    disagreements: () => disagreements({ fleet, ids, seen: eyes.seen }),
    ask: (method, path, body) => askFleet(url, method, `/fleet/v1/${path}`, { body }),
    activeOn: async (...names) => {
      await Promise.all(names.map((name) => waits.unitWhen(name, isActive)))
      const running = await eyes.running()
      return names.map((name) => (running[name] ?? []).join())
    },
    clear: async () => {
      await bound.kubectl('delete', 'units', '--all', '--wait=false')
      const isGone = async () => (await product.admin.list(Unit)).items.length === 0
      await until(isGone, { what: 'no unit in the API', timeoutMs: MOVE_TIMEOUT_MS })
      await until(async () => (await eyes.seen()).length === 0, {
        what: 'no unit anywhere',
        timeoutMs: MOVE_TIMEOUT_MS,
      })
    },
    mainPid: (unit, machine) => on(machine, `systemctl show -P MainPID '${unit}'`),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...shells.values()].map((shell) => shell[Symbol.asyncDispose]()))
      await product.stop()
    },
  }
}
