/**
 * Reads the state of many units cheaply: one call for the list, then only those properties that can say something in the
 * state the unit is in. A service's interface has 300 properties; fetching all of them costs more than everything else.
 */
import { BusRefusedError } from './dbus-connection.ts'
import type { ObservedUnit } from './driver.ts'
import type { SystemdBus } from './systemd-bus.ts'
import { isConcreteUnitName, splitUnitName } from './unit-name.ts'

const UNIT = 'org.freedesktop.systemd1.Unit'
/** The types whose interface has a Result; targets, slices and devices have none. */
const INTERFACE_WITH_RESULT: Readonly<Record<string, string>> = Object.fromEntries(
  ['Service', 'Socket', 'Mount', 'Automount', 'Swap', 'Timer', 'Path', 'Scope'].map((type) => [
    type.toLowerCase(),
    `org.freedesktop.systemd1.${type}`,
  ]),
)

interface Listed {
  readonly name: string
  readonly loadState: string
  readonly activeState: string
  readonly subState: string
  readonly path: string
}

type Details = Pick<ObservedUnit, 'result' | 'mainPID' | 'restarts' | 'activeEnterTimestampUs' | 'exitStatus'>
const NO_DETAILS: Details = { result: '', mainPID: 0, restarts: 0, activeEnterTimestampUs: 0, exitStatus: 0 }

export async function observeUnits(
  bus: SystemdBus,
  names: readonly string[],
): Promise<ReadonlyMap<string, ObservedUnit>> {
  // One name that is not valid (or is a template) makes systemd refuse the whole list: such a name is simply not found.
  const asked = [...new Set(names)].filter(isConcreteUnitName)
  const listed = asked.length > 0 ? await list(bus, asked) : []
  const observed = await Promise.all(listed.map((unit) => observeUnit(bus, unit)))
  const found = new Map(observed.map((unit) => [unit.name, unit]))
  return new Map(names.map((name) => [name, found.get(name) ?? notFound(name)]))
}

export function notFound(name: string): ObservedUnit {
  return { name, loadState: 'not-found', activeState: 'inactive', subState: 'dead', ...NO_DETAILS }
}

/** The answer keeps the order of the names and gives primary names: an alias is told apart by its place. */
async function list(bus: SystemdBus, names: readonly string[]): Promise<Listed[]> {
  const [rows] = await bus.manager('ListUnitsByNames', 'as', [names])
  return (rows as unknown[][]).map((row, index) => ({
    name: names[index] ?? String(row[0]),
    loadState: String(row[2]),
    activeState: String(row[3]),
    subState: String(row[4]),
    path: String(row[6]),
  }))
}

async function observeUnit(bus: SystemdBus, { path, ...unit }: Listed): Promise<ObservedUnit> {
  if (unit.loadState === 'not-found' && unit.activeState === 'inactive') return { ...unit, ...NO_DETAILS }
  const jobResult = unit.activeState === 'inactive' ? bus.failedJob(unit.name) : ''
  try {
    return { ...unit, ...(await readDetails(bus, path, unit)), ...(jobResult === '' ? {} : { jobResult }) }
  } catch (error) {
    // The unit may vanish between the list and the look; the others' states must not be lost with it.
    if (error instanceof BusRefusedError) return { ...unit, ...NO_DETAILS }
    throw error
  }
}

async function readDetails(bus: SystemdBus, path: string, unit: Omit<Listed, 'path'>): Promise<Details> {
  const typeInterface = INTERFACE_WITH_RESULT[splitUnitName(unit.name).type]
  const isService = typeInterface?.endsWith('.Service') ?? false
  const active = unit.activeState === 'active' || unit.activeState === 'reloading'
  const running = active && unit.subState === 'running'
  // A running service has Result=success and no exit status: systemd resets both when it starts.
  const [result, exitStatus, mainPID, restarts, activeEnterTimestampUs] = await Promise.all([
    typeInterface && !running ? bus.property(path, typeInterface, 'Result') : typeInterface ? 'success' : '',
    isService && !running ? bus.property(path, String(typeInterface), 'ExecMainStatus') : 0,
    isService && unit.activeState !== 'inactive' ? bus.property(path, String(typeInterface), 'MainPID') : 0,
    isService ? bus.property(path, String(typeInterface), 'NRestarts') : 0,
    active ? bus.property(path, UNIT, 'ActiveEnterTimestamp') : 0,
  ])
  return {
    result: String(result),
    exitStatus: Number(exitStatus),
    mainPID: Number(mainPID),
    restarts: Number(restarts),
    activeEnterTimestampUs: Number(activeEnterTimestampUs),
  }
}
