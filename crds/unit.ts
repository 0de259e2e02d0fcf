import * as z from 'zod'
import { FLOTILLA } from './group.ts'
import { type ApiObject, defineKind, type ObjectOf, type Violation } from './kind.ts'
import { Conditions, CountOrPercent, LabelSelector, Quantity, Toleration } from './metadata.ts'
import { CREDENTIAL_NAME, checkDropIns, DropIn, MAX_CONTENT_BYTES } from './unit-files.ts'
import { checkLimits, type Limits } from './unit-limits.ts'
import { checkUnitName, isTemplate } from './unit-name.ts'
import { checkPlacement, PLACEMENT_CEL, type PlacementLike } from './unit-placement.ts'
import { isGlobal } from './unit-set.ts'

/** Lists whose elements several managers may each have some of, as long as the names differ. */
const BY_NAME = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }

const SourceRef = z.strictObject({
  name: z.string().min(1),
  key: z.string().min(1),
  optional: z.boolean().optional(),
})

const PlacementTerm = z.strictObject({
  weight: z.int().min(1).max(100).describe('How much the term counts.'),
  machineSelector: LabelSelector,
})

const Placement = z.strictObject({
  machineID: z.string().optional().describe('[X-Fleet] MachineID: only this machine.'),
  machineOf: z.array(z.string()).optional().describe('[X-Fleet] MachineOf: where all of these units are.'),
  machineMetadata: z
    .array(z.string())
    .optional()
    .describe('[X-Fleet] MachineMetadata: key=value pairs; same key: any of them.'),
  conflicts: z
    .array(z.string())
    .optional()
    .describe('[X-Fleet] Conflicts: name patterns never to share a machine with.'),
  replaces: z
    .array(z.string())
    .optional()
    .describe('[X-Fleet] Replaces: name patterns that move away when this comes.'),
  global: z.boolean().optional().describe('[X-Fleet] Global: on every machine that matches.'),
  machineSelector: LabelSelector.optional().describe('Labels the machine must have.'),
  preferred: z.array(PlacementTerm).optional().describe('Labels the machine should have, by weight.'),
  spread: z
    .array(
      z.strictObject({
        topologyKey: z.string().min(1).describe('A label of machines, for example zone.'),
        maxSkew: z.int().min(1).default(1).describe('How many more one value may have than the value with fewest.'),
        whenUnsatisfiable: z
          .enum(['DoNotSchedule', 'ScheduleAnyway'])
          .default('DoNotSchedule')
          .describe('DoNotSchedule: wait; ScheduleAnyway: only prefer what is even.'),
      }),
    )
    .optional()
    .describe('Spread units that count together evenly over the values of a label.'),
  maxPerMachine: z.int().min(1).optional().describe('At most so many units that count together on one machine.'),
  countBy: z
    .string()
    .min(1)
    .optional()
    .describe('Label of units: those with the same value count together; instances of one template unless given.'),
  tolerations: z.array(Toleration).optional(),
})

const EnvironmentVariable = z.strictObject({
  name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
  value: z.string().optional(),
  configMapKeyRef: SourceRef.optional(),
})

const Resources = z.strictObject({
  requests: z.record(z.string(), Quantity).optional().describe('What placement sets aside: cpu, memory.'),
  limits: z
    .strictObject({
      cpu: Quantity.optional().describe('Processors it may use at a time: 500m is half of one.'),
      memory: Quantity.optional().describe('Bytes of memory; beyond them it is killed.'),
      tasks: Quantity.optional().describe('Processes and threads.'),
    })
    .optional()
    .describe('What systemd enforces; changed while the unit runs.'),
})

const SystemdState = z.strictObject({
  loadState: z.string().optional(),
  activeState: z.string().optional(),
  subState: z.string().optional(),
  result: z.string().optional(),
  mainPID: z.int().optional(),
  restarts: z.int().optional(),
  exitStatus: z.int().optional(),
})

export const Unit = defineKind({
  ...FLOTILLA,
  kind: 'Unit',
  plural: 'units',
  shortNames: ['un'],
  categories: ['all', 'flotilla'],
  scope: 'Cluster',
  status: true,
  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
  description: 'A systemd unit that runs on one machine of the fleet, on all that match, or in several instances.',
  selectableFields: ['spec.machineName', 'spec.desiredState', 'status.machineName', 'status.currentState'],
  fields: {
    spec: z.strictObject({
      desiredState: z
        .enum(['inactive', 'loaded', 'launched'])
        .default('launched')
        .describe('inactive: stored only; loaded: placed, file written, not started; launched: started.'),
      content: z.string().max(MAX_CONTENT_BYTES).describe('A systemd unit file; [X-Fleet] options are honoured.'),
      unitName: z.string().optional().describe('Name on the machine; metadata.name unless given.'),
      machineName: z.string().optional().describe('The machine that should run it; the scheduler sets it.'),
      placement: Placement.optional().describe('Where it may run.'),
      replicas: z.int().min(0).max(10_000).optional().describe('Number of instances.'),
      maxUnavailable: CountOrPercent.optional().describe(
        'How many instances a rollout may have down at once; 1 unless given, 0 holds it.',
      ),
      minReadySeconds: z
        .int()
        .min(0)
        .max(3_600)
        .optional()
        .describe('How long an instance must be well before a rollout goes on; half a second unless given.'),
      template: z
        .strictObject({
          labels: z.record(z.string(), z.string()).optional(),
          annotations: z.record(z.string(), z.string()).optional(),
        })
        .optional()
        .describe('Metadata of the instances.'),
      resources: Resources.optional().describe('Requests for placement, limits for systemd.'),
      environment: z
        .array(EnvironmentVariable)
        .meta(BY_NAME)
        .optional()
        .describe('Environment, also from ConfigMaps of namespace default.'),
      credentials: z
        .array(z.strictObject({ name: z.string().regex(CREDENTIAL_NAME), secretKeyRef: SourceRef }))
        .meta(BY_NAME)
        .optional()
        .describe('LoadCredential= from Secrets of namespace default.'),
      dropIns: z.array(DropIn).meta(BY_NAME).optional().describe('Drop-in files of the unit.'),
      failover: z
        .enum(['reschedule', 'exclusive', 'none'])
        .default('reschedule')
        .describe('When its machine is lost: move it; move it but never run two; leave it.'),
    }),
    status: z
      .strictObject({
        currentState: z.enum(['inactive', 'loaded', 'launched']).optional(),
        machineName: z.string().optional().describe('The machine that holds the unit now.'),
        systemd: SystemdState.optional().describe("systemd's own words."),
        hash: z.string().optional().describe('SHA-1 of the content the machine has.'),
        fencingToken: z
          .string()
          .optional()
          .describe(
            'Of an exclusive unit: FLOTILLA_FENCING_TOKEN of its holder, greater than that of any holder before.',
          ),
        replicas: z.int().optional().describe('Instances that are there.'),
        activeReplicas: z.int().optional().describe('Instances that run, with whatever content.'),
        readyReplicas: z.int().optional().describe('Instances that run as they are asked to now.'),
        updatedReplicas: z.int().optional().describe('Instances that have the newest content.'),
        desiredReplicas: z.int().optional().describe('Instances that there should be.'),
        conditions: Conditions.optional(),
        observedGeneration: z.int().optional(),
      })
      .optional(),
  },
  columns: [
    { name: 'Desired', type: 'string', jsonPath: '.spec.desiredState', description: 'What was asked for.' },
    { name: 'Machine', type: 'string', jsonPath: '.spec.machineName', description: 'Where it is placed.' },
    { name: 'Active', type: 'string', jsonPath: '.status.systemd.activeState', description: "systemd's active state." },
    { name: 'Sub', type: 'string', jsonPath: '.status.systemd.subState', description: "systemd's sub state." },
    { name: 'Restarts', type: 'integer', jsonPath: '.status.systemd.restarts', description: 'Automatic restarts.' },
    {
      name: 'Scheduled',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Scheduled")].reason',
      description: 'Why it is or is not placed.',
      priority: 1,
    },
    { name: 'PID', type: 'integer', jsonPath: '.status.systemd.mainPID', description: 'Main process.', priority: 1 },
    { name: 'Hash', type: 'string', jsonPath: '.status.hash', description: 'Content that runs.', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  ],
  checkName: checkUnitName,
  complete: completeUnit,
  check: checkUnit,
  cel: [{ rule: "self.spec.content.trim() != ''", message: 'content must hold a systemd unit file' }, ...PLACEMENT_CEL],
})
export type Unit = ObjectOf<typeof Unit>

interface SpecLike {
  desiredState?: string
  content?: string
  unitName?: string
  machineName?: string
  replicas?: number
  placement?: PlacementLike
  dropIns?: readonly { readonly name: string }[]
  resources?: { limits?: Limits }
}

/**
 * A template without replicas is there to be instantiated: it is stored, not started. A write that does not name a
 * machine keeps the binding (D6): users write what to run, the scheduler where.
 */
function completeUnit(object: ApiObject, previous: ApiObject | undefined): void {
  const spec = object.spec as SpecLike | undefined
  if (spec === null || typeof spec !== 'object') return
  const template = isTemplate(String(spec.unitName ?? object.metadata.name))
  if (spec.desiredState === undefined && template && spec.replicas === undefined) spec.desiredState = 'inactive'
  const binding = (previous?.spec as SpecLike | undefined)?.machineName
  if (spec.machineName === undefined && binding !== undefined) spec.machineName = binding
}

function checkUnit(object: ApiObject, previous: ApiObject | undefined): Violation[] {
  const spec = object.spec as SpecLike
  const name = spec.unitName ?? object.metadata.name
  const violations: Violation[] = []
  const wrongName = checkUnitName(name)
  if (wrongName) violations.push({ path: ['spec', 'unitName'], message: wrongName })
  else if (isTemplate(name) && spec.replicas === undefined && spec.desiredState !== 'inactive')
    violations.push({
      path: ['spec', 'desiredState'],
      message: `cannot activate template "${name}": give it replicas, or apply instances such as "${name.replace('@.', '@1.')}"`,
    })
  if (spec.content?.trim() === '')
    violations.push({
      path: ['spec', 'content'],
      message: 'must hold a systemd unit file, for example "[Service]\\nExecStart=/bin/true"',
    })
  violations.push(...checkPlacement(spec.content ?? '', spec.placement))
  violations.push(...checkLimits(name, spec.resources?.limits), ...checkDropIns(spec.dropIns))
  if (spec.replicas !== undefined && isGlobal(spec))
    violations.push({ path: ['spec', 'replicas'], message: 'Global cannot be used with replicas' })
  const before = (previous?.spec as SpecLike | undefined)?.unitName
  if (previous && (before ?? previous.metadata.name) !== name)
    violations.push({
      path: ['spec', 'unitName'],
      message: 'field is immutable: delete the unit and create it under the new name',
      reason: 'FieldValueInvalid',
    })
  return violations
}
