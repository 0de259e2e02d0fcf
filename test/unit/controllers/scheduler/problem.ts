/** Small random placement problems: few machines and units, and most rules at once. */
import fc from 'fast-check'
import { compileGlob } from '../../../../crds/glob.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'

export interface ProblemMachine {
  readonly name: string
  readonly ready: boolean
  readonly cordoned: boolean
  readonly zone: string | undefined
  readonly disk: string | undefined
  readonly taint: { readonly key: string; readonly effect: 'NoSchedule' | 'NoExecute' } | undefined
  readonly cpu: number
  readonly units: number
}

export interface ProblemUnit {
  readonly name: string
  /** Index of the machine it is bound to before. */
  readonly at: number | undefined
  /** How it says what both forms can say. */
  readonly inFile: boolean
  readonly machineId: string | undefined
  readonly metadata: readonly string[]
  readonly peers: readonly string[]
  readonly conflicts: readonly string[]
  readonly replaces: readonly string[]
  readonly zones: readonly string[] | undefined
  readonly tolerates: boolean
  readonly cpu: number | undefined
  readonly maxSkew: number | undefined
  readonly maxPerMachine: number | undefined
  readonly app: string | undefined
  readonly countByApp: boolean
}

export interface Problem {
  readonly machines: readonly ProblemMachine[]
  readonly units: readonly ProblemUnit[]
}

export const NAMES = ['a.service', 'ab.service', 'b.service', 'w@1.service', 'w@2.service', 'w@3.service']
export const PATTERNS = ['a*', 'b.service', 'w@*.service', '*b.service', 'w@[12].service', 'none.service']

const rarely = <T>(value: fc.Arbitrary<T>, freq = 4) => fc.option(value, { nil: undefined, freq })
const few = (values: readonly string[]) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }) },
  )
const seldom = fc.integer({ min: 0, max: 7 }).map((n) => n === 0)
/** fast-check's freq is the chance of a value against one chance of nothing; here a value is the exception. */
const sometimes = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })

export const machineArb: fc.Arbitrary<Omit<ProblemMachine, 'name'>> = fc.record({
  ready: seldom.map((not) => !not),
  cordoned: seldom,
  zone: rarely(fc.constantFrom('x', 'y')),
  disk: rarely(fc.constantFrom('ssd', 'hdd'), 2),
  taint: sometimes(fc.record({ key: fc.constant('gpu'), effect: fc.constantFrom('NoSchedule', 'NoExecute') })),
  cpu: fc.constantFrom(1, 2, 4),
  units: fc.constantFrom(2, 500),
})

/** The door refuses a unit that wants to be with what it keeps away. */
export function resolvable<T extends Pick<ProblemUnit, 'peers' | 'conflicts' | 'replaces'>>(unit: T): T {
  const keep = (pattern: string) => !unit.peers.some((peer) => compileGlob(pattern)(peer))
  return { ...unit, conflicts: unit.conflicts.filter(keep), replaces: unit.replaces.filter(keep) }
}

export const unitArb: fc.Arbitrary<Omit<ProblemUnit, 'name'>> = fc
  .record({
    at: sometimes(fc.integer({ min: 0, max: 3 })),
    inFile: fc.boolean(),
    machineId: sometimes(fc.constantFrom('m1m1m1m1rest', 'm0m0m0m0')),
    metadata: few(['disk=ssd', 'disk=hdd', 'zone=x']),
    peers: few(NAMES),
    conflicts: few(PATTERNS),
    replaces: few(PATTERNS),
    zones: sometimes(fc.constantFrom(['x'], ['x', 'y'])),
    tolerates: fc.boolean(),
    cpu: sometimes(fc.constantFrom(0.5, 1, 3)),
    maxSkew: sometimes(fc.constantFrom(1, 2)),
    maxPerMachine: sometimes(fc.constantFrom(1, 2)),
    app: rarely(fc.constantFrom('p', 'q'), 1),
    countByApp: fc.boolean(),
  })
  .map(resolvable)

export const problems: fc.Arbitrary<Problem> = fc.record({
  machines: fc
    .array(machineArb, { minLength: 1, maxLength: 4 })
    .map((all) => all.map((each, i) => ({ ...each, name: `m${i}` }))),
  units: fc
    .tuple(
      fc.subarray(NAMES, { minLength: 1 }),
      fc.array(unitArb, { minLength: NAMES.length, maxLength: NAMES.length }),
    )
    .map(([names, all]) => names.flatMap((name, i) => (all[i] ? [{ ...all[i], name }] : []))),
})

/** First 8 characters are `m0m0m0m0` and so on. */
export function machineIdOf(name: string): string {
  return `${name.repeat(4)}rest`
}

export function machineObject({ name, ready, cordoned, zone, disk, taint, cpu, units }: ProblemMachine): Machine {
  const object = machine(name, {
    ready: ready ? 'True' : 'False',
    machineID: machineIdOf(name),
    spec: { unschedulable: cordoned, ...(taint && { taints: [taint] }) },
  })
  const labels = { ...(zone && { zone }), ...(disk && { disk }) }
  const allocatable = { cpu: String(cpu), units: String(units) }
  return { ...object, metadata: { ...object.metadata, labels }, status: { ...object.status, allocatable } }
}

export function unitObject(problem: ProblemUnit, machineName: string): Unit {
  const { name, inFile, machineId, metadata, peers, conflicts, replaces, app } = problem
  const file = [
    ...(machineId === undefined ? [] : [`MachineID=${machineId}`]),
    ...metadata.map((pair) => `MachineMetadata=${pair}`),
    ...peers.map((peer) => `MachineOf=${peer}`),
    ...(conflicts.length > 0 ? [`Conflicts=${conflicts.join(' ')}`] : []),
    ...replaces.map((pattern) => `Replaces=${pattern}`),
  ]
  const fields = {
    ...(machineId === undefined ? {} : { machineID: machineId }),
    ...{ machineMetadata: [...metadata], machineOf: [...peers], conflicts: [...conflicts], replaces: [...replaces] },
  }
  return unit(name, {
    metadata: { labels: app === undefined ? {} : { app } },
    spec: {
      content: `[Service]\nExecStart=/bin/true\n${inFile ? `[X-Fleet]\n${file.join('\n')}\n` : ''}`,
      machineName,
      placement: { ...(inFile ? {} : fields), ...onlyFields(problem) },
      ...(problem.cpu === undefined ? {} : { resources: { requests: { cpu: problem.cpu } } }),
    },
  })
}

function onlyFields({ zones, tolerates, maxSkew, maxPerMachine, countByApp }: ProblemUnit) {
  return {
    ...(zones && {
      machineSelector: { matchExpressions: [{ key: 'zone', operator: 'In' as const, values: [...zones] }] },
    }),
    ...(tolerates && { tolerations: [{ key: 'gpu', operator: 'Exists' as const }] }),
    ...(maxSkew && { spread: [{ topologyKey: 'zone', maxSkew, whenUnsatisfiable: 'DoNotSchedule' as const }] }),
    ...(maxPerMachine && { maxPerMachine }),
    ...(countByApp && { countBy: 'app' }),
  }
}
