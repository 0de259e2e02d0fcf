/** What befalls an exclusive unit in a round, by name. Each resolves when the fault is over; the unit may be anywhere. */
import { setTimeout as delay } from 'node:timers/promises'
import { isApiError } from '../../../controllers/lib/client.ts'
import { Machine } from '../../../crds/machine.ts'
import { Unit } from '../../../crds/unit.ts'
import type { Cut, LabFaults } from '../../support/lab-faults.ts'
import type { Product } from '../../support/product.ts'
import type { Random } from '../../support/random.ts'
import { until } from '../../support/until.ts'
import { TICKER, UNIT } from './ticker.ts'

export interface Stage {
  readonly product: Product
  readonly faults: LabFaults
  readonly machines: readonly string[]
  readonly random: Random
  readonly leaseMs: number
  /** Where the unit is when the round begins. */
  readonly holder: string
  /** Seconds of the shared clock at which its holder was cut off or stopped hearing its agent. */
  readonly lost: (atS: number) => void
}

type Fault = (stage: Stage) => Promise<void>

const CHANGE_TIMEOUT_MS = 20_000
const SETTLE_TIMEOUT_MS = 30_000

export const FAULTS: Readonly<Record<string, Fault>> = {
  'cut in': (stage) => cutOff(stage, 'in'),
  'cut out': (stage) => cutOff(stage, 'out'),
  'cut both': (stage) => cutOff(stage, 'both'),
  'cut for a while': async ({ faults, holder, random, leaseMs }) => {
    await faults.cut(holder, random.pick(['in', 'out', 'both'] as const))
    await delay(random.next() * leaseMs * 1.5)
    await faults.heal(holder)
  },
  'agent killed': ({ faults, holder }) => faults.killAgent(holder),
  'agent killed, then cut': async (stage) => {
    await stage.faults.killAgent(stage.holder)
    await cutOff(stage, 'both')
  },
  'agent stopped': async (stage) => {
    await stage.faults.stopAgent(stage.holder)
    stage.lost(nowS())
    await moved(stage)
    await stage.faults.continueAgent(stage.holder)
  },
  'agent stopped for a while': async ({ faults, holder, random, leaseMs }) => {
    await faults.stopAgent(holder)
    await delay(random.next() * leaseMs * 1.5)
    await faults.continueAgent(holder)
  },
  'machine killed': async (stage) => {
    await stage.faults.killMachine(stage.holder)
    await moved(stage)
  },
  'control plane paused': async ({ faults, random, leaseMs }) => {
    faults.pauseControlPlane()
    await delay(random.next() * leaseMs * 2)
    faults.resumeControlPlane()
  },
  'rebooted while the control plane is away': async ({ faults, holder, leaseMs }) => {
    await faults.cutControlPlane()
    await faults.reboot(holder, { abrupt: true })
    await delay(leaseMs)
    const state = await faults.inside(holder, `systemctl is-active ${UNIT} || true`)
    if (state === 'active') throw new Error(`${holder} started it without asking anybody`)
    await faults.healAll()
  },
  'D-Bus killed, then cut': async (stage) => {
    await stage.faults.killDbus(stage.holder)
    await cutOff(stage, 'both')
  },
  'rebound by hand': (stage) => rebind(stage),
  'rebound by hand while cut off': async (stage) => {
    await stage.faults.cut(stage.holder, 'both')
    await rebind(stage)
    await moved(stage)
    await stage.faults.heal(stage.holder)
  },
  'deleted and made anew': (stage) => makeAnew(stage),
  'deleted and made anew while cut off': async (stage) => {
    await stage.faults.cut(stage.holder, 'both')
    await makeAnew(stage)
    await stage.faults.heal(stage.holder)
  },
  'inactive and launched again': async (stage) => {
    await patch(stage, { desiredState: 'inactive' })
    await patch(stage, { desiredState: 'launched' })
  },
  'not exclusive for a moment': async (stage) => {
    await patch(stage, { failover: 'reschedule' })
    await patch(stage, { failover: 'exclusive' })
  },
}

export function nowS(): number {
  return Date.now() / 1_000
}

async function cutOff(stage: Stage, way: Cut): Promise<void> {
  await stage.faults.cut(stage.holder, way)
  stage.lost(nowS())
  await moved(stage)
  await stage.faults.heal(stage.holder)
}

async function moved({ product, holder }: Pick<Stage, 'product' | 'holder'>): Promise<void> {
  const isElsewhere = async () => {
    const { status } = await product.admin.get(Unit, UNIT)
    return (
      status?.machineName !== undefined && status.machineName !== holder && status.systemd?.activeState === 'active'
    )
  }
  await until(isElsewhere, { what: `${UNIT} to run elsewhere than on ${holder}`, timeoutMs: CHANGE_TIMEOUT_MS })
}

async function rebind(stage: Stage): Promise<void> {
  await patch(stage, { machineName: stage.random.pick(stage.machines.filter((machine) => machine !== stage.holder)) })
}

async function patch({ product }: Stage, spec: Partial<Unit['spec']>): Promise<void> {
  await product.admin.patch(Unit, UNIT, { type: 'merge', body: { spec } })
}

async function makeAnew({ product }: Stage): Promise<void> {
  await product.admin.delete(Unit, UNIT)
  await createTicker(product)
}

/** As soon as the old object lets it. */
export async function createTicker({ admin }: Pick<Product, 'admin'>): Promise<void> {
  const create = async () => {
    try {
      return await admin.create(Unit, { metadata: { name: UNIT }, spec: { content: TICKER, failover: 'exclusive' } })
    } catch (error) {
      if (isApiError(error, 409)) return undefined
      throw error
    }
  }
  await until(create, { what: `${UNIT} made anew`, timeoutMs: CHANGE_TIMEOUT_MS })
}

/** Frozen until it runs elsewhere, then thawed: for a moment both run. */
export async function freeze(stage: Pick<Stage, 'product' | 'faults' | 'holder'>): Promise<void> {
  await stage.faults.freeze(stage.holder)
  await moved(stage)
  await stage.faults.thaw(stage.holder)
}

/** Every machine is Ready, its agent runs, and the unit is where it should be; answers where. */
export async function settled(
  { admin }: Pick<Product, 'admin'>,
  { inside }: Pick<LabFaults, 'inside'>,
  machines: readonly string[],
): Promise<string> {
  const look = async () => {
    const { items } = await admin.list(Machine)
    const { spec, status } = await admin.get(Unit, UNIT)
    const isWhole =
      says(status, 'Active') && status?.fencingToken !== undefined && status.machineName === spec.machineName
    if (!items.every((machine) => says(machine.status, 'Ready')) || !isWhole)
      throw new Error(JSON.stringify({ bound: spec.machineName, status }))
    await Promise.all(machines.map((machine) => inside(machine, 'systemctl is-active --quiet flotilla-agent.service')))
    return status.machineName
  }
  return until(look, { what: `${UNIT} active and every machine Ready`, timeoutMs: SETTLE_TIMEOUT_MS })
}

type Status = { readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined }

function says(status: Status | undefined, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
}
