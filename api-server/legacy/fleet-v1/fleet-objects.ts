/**
 * The objects of fleet's API, and how ours show as them. Source: spec fleet §3 (states) and §7 (shapes): what is empty is
 * left out, and keys come in the order of the alphabet. Pure; an object that did not change is read once.
 */
import type { Machine, Unit } from '../../../crds/index.ts'
import { isBoundByOwner, isGlobal, isParent } from '../../../crds/unit-set.ts'
import { type Entry, objectOf } from '../../registry/entry.ts'
import { hashOf, optionsOf, textOf, type UnitOption } from './unit-options.ts'

export interface FleetUnit {
  /** Neither this nor a machine is known of what runs on all machines: its states tell. */
  readonly currentState?: string
  readonly desiredState?: string
  readonly machineID?: string
  readonly name: string
  readonly options?: readonly Partial<UnitOption>[]
}

export interface FleetUnitState {
  readonly hash?: string
  readonly machineID?: string
  readonly name: string
  readonly systemdActiveState?: string
  readonly systemdLoadState?: string
  readonly systemdSubState?: string
}

export interface FleetMachine {
  readonly id: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly primaryIP?: string
}

export interface SeenMachine {
  readonly name: string
  /** Undefined until its agent has reported for the first time; fleet would not know it yet. */
  readonly shown: FleetMachine | undefined
  /** Its heartbeat ran out: fleet would know neither it nor what it said any more. */
  readonly isLost: boolean
}

export interface SeenUnit {
  /** As fleet knows it. */
  readonly name: string
  /** In the form of fleet. */
  readonly text: string
  readonly options: readonly UnitOption[]
  /** One of the copies that a global unit has, one a machine: a state of that unit, and no unit of its own. */
  readonly isCopy: boolean
  readonly isGlobal: boolean
  readonly isDeleting: boolean
  readonly unit: Unit
  /** Of the text that its machine has, as fleet would compute it. */
  readonly hash: string
}

const seenUnits = new WeakMap<Entry, SeenUnit>()
const seenMachines = new WeakMap<Entry, SeenMachine>()

export function seenUnit(entry: Entry): SeenUnit {
  return remembered(seenUnits, entry, readUnit)
}

export function seenMachine(entry: Entry): SeenMachine {
  return remembered(seenMachines, entry, readMachine)
}

function remembered<T>(known: WeakMap<Entry, T>, entry: Entry, read: (entry: Entry) => T): T {
  const found = known.get(entry) ?? read(entry)
  known.set(entry, found)
  return found
}

function readUnit(entry: Entry): SeenUnit {
  const unit = objectOf(entry) as unknown as Unit
  const { metadata, spec, status } = unit
  const options = optionsOf(spec.content)
  const text = textOf(options)
  const isCopy = isBoundByOwner(unit)
  const isCurrent = status?.hash === undefined || status.hash === hashOf(spec.content)
  return {
    name: isCopy ? (spec.unitName ?? entry.name) : entry.name,
    text,
    options,
    isCopy,
    isGlobal: isCopy || (isParent(unit) && isGlobal(spec)),
    isDeleting: Boolean(metadata.deletionTimestamp),
    unit,
    hash: isCurrent ? hashOf(text) : (status?.hash ?? ''),
  }
}

function readMachine(entry: Entry): SeenMachine {
  const { status = {} } = objectOf(entry) as unknown as Machine
  const id = status.machineID
  const primaryIP = (status.addresses ?? []).find(({ type }) => type !== 'Hostname')?.address
  // Labels with a domain are somebody's own; fleet's metadata have none.
  const metadata = Object.entries(entry.labels ?? {}).filter(([key]) => !key.includes('/'))
  return {
    name: entry.name,
    shown: id
      ? {
          id,
          ...(metadata.length > 0 && { metadata: Object.fromEntries(metadata.sort(([a], [b]) => (a < b ? -1 : 1))) }),
          ...(primaryIP && { primaryIP }),
        }
      : undefined,
    isLost: (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'Unknown'),
  }
}

export type MachineOf = (name: string | undefined) => SeenMachine | undefined

/** `machineID` is where it should run, as fleet's is; while it is being stopped, where it still does. */
export function shownUnit({ name, options, isGlobal, unit }: SeenUnit, machineOf: MachineOf): FleetUnit {
  const { spec, status } = unit
  const id = machineOf(spec.machineName ?? status?.machineName)?.shown?.id
  const isSilent = machineOf(status?.machineName)?.isLost ?? false
  const currentState = isSilent ? 'inactive' : (status?.currentState ?? 'inactive')
  return {
    ...(!isGlobal && { currentState }),
    desiredState: spec.desiredState,
    ...(!isGlobal && id && { machineID: id }),
    name,
    ...(options.length > 0 && { options: options.map(shownOption) }),
  }
}

const shownOption = ({ name, section, value }: UnitOption): Partial<UnitOption> => ({
  name,
  section,
  ...(value !== '' && { value }),
})

/** Undefined where no machine says anything of the unit. */
export function shownState({ name, unit, hash }: SeenUnit, machineOf: MachineOf): FleetUnitState | undefined {
  const { status } = unit
  const machine = machineOf(status?.machineName)
  const id = machine?.shown?.id
  if (!status?.systemd || !machine || machine.isLost || !id) return undefined
  const { activeState, loadState, subState } = status.systemd
  return {
    ...(hash && { hash }),
    machineID: id,
    name,
    ...(activeState && { systemdActiveState: activeState }),
    ...(loadState && { systemdLoadState: loadState }),
    ...(subState && { systemdSubState: subState }),
  }
}
