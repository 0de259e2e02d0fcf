import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { machinesForGlobal } from '../../../../controllers/scheduler/global.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'

const test = suite('where Global units are')
const content = (xFleet = '') => `[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobal=true\n${xFleet}\n`
const parent = (name: string, xFleet?: string, spec: Partial<Unit['spec']> = {}) =>
  unit(`${name}.service`, { spec: { content: content(xFleet), ...spec }, metadata: { uid: name } })
const instance = (of: string, machineName: string, xFleet?: string) => {
  const owner = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: `${of}.service`, uid: of, controller: true }
  const spec = { content: content(xFleet), unitName: `${of}.service`, machineName }
  return unit(`${of}.${machineName}.service`, { spec, metadata: { ownerReferences: [owner] } })
}
const plain = (name: string, machineName: string, xFleet = '') =>
  unit(name, { spec: { content: `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${xFleet}\n`, machineName } })
const labelled = (name: string, labels: Record<string, string>): Machine => {
  const { metadata, ...rest } = machine(name)
  return { ...rest, metadata: { ...metadata, labels } }
}
const tainted = (name: string, effect: 'NoSchedule' | 'NoExecute') =>
  machine(name, { spec: { taints: [{ key: 'gpu', effect }] } })
const small = (name: string): Machine => {
  const { status, ...rest } = machine(name)
  return { ...rest, status: { ...status, allocatable: { cpu: '1' } } }
}
const asking = { resources: { requests: { cpu: '2' } } }

interface Row {
  readonly title: string
  readonly parent?: Unit
  readonly machines?: readonly Machine[]
  readonly units?: readonly Unit[]
  readonly present?: readonly string[]
  readonly expect: readonly string[]
  readonly dependsOnUnits?: boolean
}

const rows: readonly Row[] = [
  { title: 'on all, by name', machines: [machine('m2'), machine('m1')], expect: ['m1', 'm2'] },
  { title: 'on none of none', machines: [], expect: [] },
  {
    title: 'not on one that is not ready',
    machines: [machine('m1', { ready: 'Unknown' }), machine('m2')],
    expect: ['m2'],
  },
  {
    title: 'but it stays on one that was lost',
    machines: [machine('m1', { ready: 'Unknown' })],
    present: ['m1'],
    expect: ['m1'],
  },
  { title: 'not on one that is cordoned', machines: [machine('m1', { spec: { unschedulable: true } })], expect: [] },
  {
    title: 'where it stays',
    machines: [machine('m1', { spec: { unschedulable: true } })],
    present: ['m1'],
    expect: ['m1'],
  },
  {
    title: 'metadata',
    parent: parent('g', 'MachineMetadata=disk=ssd'),
    machines: [labelled('m1', { disk: 'ssd' }), machine('m2')],
    expect: ['m1'],
  },
  {
    title: 'metadata that goes takes it along',
    parent: parent('g', 'MachineMetadata=disk=ssd'),
    present: ['m1'],
    expect: [],
  },
  {
    title: 'labels',
    parent: parent('g', '', { placement: { machineSelector: { matchLabels: { zone: 'a' } } } }),
    machines: [labelled('m1', { zone: 'b' }), labelled('m2', { zone: 'a' })],
    expect: ['m2'],
  },
  { title: 'NoSchedule keeps it away', machines: [tainted('m1', 'NoSchedule')], expect: [] },
  { title: 'and lets it stay', machines: [tainted('m1', 'NoSchedule')], present: ['m1'], expect: ['m1'] },
  { title: 'NoExecute does not', machines: [tainted('m1', 'NoExecute')], present: ['m1'], expect: [] },
  {
    title: 'tolerated',
    parent: parent('g', '', { placement: { tolerations: [{ operator: 'Exists' }] } }),
    machines: [tainted('m1', 'NoExecute')],
    expect: ['m1'],
  },
  {
    title: 'one a machine is never too many or uneven',
    parent: parent('g', '', {
      placement: {
        maxPerMachine: 1,
        spread: [{ topologyKey: 'none', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }],
      },
    }),
    units: [instance('g', 'm1')],
    present: ['m1'],
    expect: ['m1'],
  },
  {
    title: 'not where something is that it conflicts with',
    parent: parent('g', 'Conflicts=x*'),
    units: [plain('x.service', 'm1')],
    expect: [],
    dependsOnUnits: true,
  },
  {
    title: 'nor where something conflicts with it',
    units: [plain('x.service', 'm1', 'Conflicts=g.service')],
    expect: [],
    dependsOnUnits: true,
  },
  {
    title: 'where it is already, an ordinary unit gives way',
    parent: parent('g', 'Conflicts=x*'),
    units: [plain('x.service', 'm1')],
    present: ['m1'],
    expect: ['m1'],
  },
  {
    title: 'it never conflicts with its own instances',
    parent: parent('g', 'Conflicts=g*'),
    units: [instance('g', 'm2', 'Conflicts=g*')],
    machines: [machine('m1'), machine('m2')],
    present: ['m2'],
    expect: ['m1', 'm2'],
  },
  {
    title: 'of two Global ones on a machine the greater name goes',
    parent: parent('g', 'Conflicts=f*'),
    units: [instance('f', 'm1')],
    present: ['m1'],
    expect: [],
    dependsOnUnits: true,
  },
  {
    title: 'and the lesser stays',
    parent: parent('g', 'Conflicts=h*'),
    units: [instance('h', 'm1')],
    present: ['m1'],
    expect: ['m1'],
  },
  {
    title: 'not where its requests do not fit',
    parent: parent('g', '', asking),
    machines: [small('m1'), machine('m2')],
    expect: ['m2'],
    dependsOnUnits: true,
  },
]

for (const { title, expect, dependsOnUnits = false, ...given } of rows)
  test(title, () => {
    const { parent: of = parent('g'), machines = [machine('m1')], units = [], present = [] } = given
    const answer = machinesForGlobal({ parent: of, machines, units: [...units, of], present: new Set(present) })
    assert.equal(answer, { machines: expect, dependsOnUnits })
  })

test.run()
