/** What each rule decides, in fleet's own cases and ours. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diagnose } from '../../../../controllers/scheduler/diagnose.ts'
import { type Action, plan } from '../../../../controllers/scheduler/plan.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'

const test = suite('placement rules')
type Placement = NonNullable<Unit['spec']['placement']>

const file = (name: string, xFleet: string, spec: Partial<Unit['spec']> = {}) =>
  unit(name, { spec: { content: `[Service]\n[X-Fleet]\n${xFleet}\n`, ...spec } })
const fields = (name: string, placement: Placement, spec: Partial<Unit['spec']> = {}) =>
  unit(name, { spec: { placement, ...spec } })
const on = (machineName: string) => ({ machineName })

function host(name: string, labels: Readonly<Record<string, string>> = {}, spec: Machine['spec'] = {}): Machine {
  const object = machine(name, { spec, machineID: `${name.repeat(4)}0123` })
  const allocatable = { cpu: '2', memory: '1Gi', units: '3' }
  return { ...object, metadata: { ...object.metadata, labels }, status: { ...object.status, allocatable } }
}
const tainted = (name: string, effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute') =>
  host(name, {}, { taints: [{ key: 'k', value: 'v', effect }] })

const east = host('m1', { region: 'east', disk: 'ssd', 'kubernetes.io/os': 'linux', cpus: '8' })
const west = host('m2', { region: 'west', disk: 'hdd', cpus: '16' })

const brief = (action: Action): string =>
  action.do === 'explain'
    ? `${action.unit.metadata.name}: ${action.reason}`
    : `${action.unit.metadata.name} ${action.do} ${action.machine}`

type Row = readonly [title: string, units: readonly Unit[], machines: readonly Machine[], expect: readonly string[]]
const ROWS: readonly Row[] = [
  [
    'MachineID may be its first 8 characters',
    [file('a.service', 'MachineID=m2m2m2m2')],
    [east, west],
    ['a.service bind m2'],
  ],
  [
    'MachineID may not be 7 of them',
    [file('a.service', 'MachineID=m2m2m2m')],
    [west],
    ['a.service: 0 of 1 machines can take it: m2: not machine m2m2m2m'],
  ],
  [
    'metadata: any value of a key, all keys',
    [file('a.service', 'MachineMetadata="region=west" "disk=hdd"\nMachineMetadata=region=east')],
    [east, west],
    ['a.service bind m2'],
  ],
  [
    'labels of a domain are no metadata',
    [file('a.service', 'MachineMetadata=kubernetes.io/os=linux')],
    [east],
    ['a.service: 0 of 1 machines can take it: m1: has no metadata kubernetes.io/os=linux'],
  ],
  [
    'Conflicts hold in both directions and one line names two',
    [unit('a.service', { spec: on('m1') }), file('b.service', 'Conflicts=a.service c.service'), file('c.service', '')],
    [east, west],
    ['b.service bind m2', 'c.service bind m1'],
  ],
  ['its own pattern is no conflict', [file('w@1.service', 'Conflicts=w@*.service')], [east], ['w@1.service bind m1']],
  [
    'the younger of two that conflict moves',
    [
      unit('old.service', { spec: on('m1'), metadata: { creationTimestamp: '2026-01-01T00:00:00Z' } }),
      unit('new.service', {
        spec: { ...on('m1'), placement: { conflicts: ['old.service'] } },
        metadata: { creationTimestamp: '2026-01-02T00:00:00Z' },
      }),
    ],
    [east, west],
    ['new.service bind m2'],
  ],
  [
    'what is replaced moves, its replacer stays',
    [unit('v.service', { spec: on('m1') }), file('k.service', 'Replaces=v*', on('m1'))],
    [east, west],
    ['v.service bind m2'],
  ],
  [
    'those that replace each other may share',
    [file('v.service', 'Replaces=k*', on('m1')), file('k.service', 'Replaces=v*', on('m1'))],
    [east, west],
    [],
  ],
  [
    'a follower leaves with its leader',
    [
      unit('l.service', { spec: { desiredState: 'inactive', machineName: 'm1' } }),
      file('f.service', 'MachineOf=l.service', on('m1')),
    ],
    [east],
    ['f.service unbind m1', 'l.service unbind m1'],
  ],
  [
    'MachineOf with specifiers pairs instances',
    [unit('web@2.service', { spec: on('m2') }), file('side@2.service', 'MachineOf=web@%i.service')],
    [east, west],
    ['side@2.service bind m2'],
  ],
  [
    'a circle of followers is placed as one, where all fit',
    [
      file('a.service', 'MachineOf=b.service'),
      file('b.service', 'MachineOf=c.service\nMachineMetadata=disk=hdd'),
      file('c.service', 'MachineOf=a.service'),
    ],
    [east, west],
    ['a.service bind m2', 'b.service bind m2', 'c.service bind m2'],
  ],
  [
    'label expressions: Gt, NotIn, Exists',
    [
      fields('a.service', {
        machineSelector: {
          matchExpressions: [
            { key: 'cpus', operator: 'Gt', values: ['8'] },
            { key: 'region', operator: 'NotIn', values: ['east'] },
            { key: 'disk', operator: 'Exists' },
          ],
        },
      }),
    ],
    [east, west],
    ['a.service bind m2'],
  ],
  [
    'preferred beats load',
    [
      unit('x.service', { spec: on('m2') }),
      fields('a.service', { preferred: [{ weight: 5, machineSelector: { matchLabels: { region: 'west' } } }] }),
    ],
    [east, west],
    ['a.service bind m2'],
  ],
  [
    'a NoSchedule taint leaves what is there',
    [unit('a.service', { spec: on('m1') })],
    [tainted('m1', 'NoSchedule'), west],
    [],
  ],
  [
    'a NoExecute taint does not',
    [unit('a.service', { spec: on('m1') })],
    [tainted('m1', 'NoExecute'), west],
    ['a.service bind m2'],
  ],
  [
    'a toleration lets it stay',
    [fields('a.service', { tolerations: [{ key: 'k', value: 'v' }] }, on('m1'))],
    [tainted('m1', 'NoExecute'), west],
    [],
  ],
  [
    'PreferNoSchedule is only preferred',
    [unit('a.service')],
    [tainted('m1', 'PreferNoSchedule'), west],
    ['a.service bind m2'],
  ],
  [
    'no machine is promised more than it has',
    [
      unit('a.service', { spec: { ...on('m1'), resources: { requests: { memory: '600Mi' } } } }),
      unit('b.service', { spec: { resources: { requests: { memory: '600Mi', cpu: '500m' } } } }),
    ],
    [east],
    ['b.service: 0 of 1 machines can take it: m1: has not enough memory for 600Mi'],
  ],
  [
    'requests decide before the number of units',
    [
      unit('a.service', { spec: { ...on('m1'), resources: { requests: { cpu: 1 } } } }),
      unit('b.service', { spec: on('m2') }),
      unit('c.service', { spec: on('m2') }),
      unit('d.service', { spec: { resources: { requests: { cpu: '0.5' } } } }),
    ],
    [east, west],
    ['d.service bind m2'],
  ],
  [
    'at most so many with the same label',
    [
      unit('a.service', { spec: on('m2'), metadata: { labels: { app: 'x' } } }),
      unit('b.service', {
        spec: { placement: { maxPerMachine: 1, countBy: 'app' } },
        metadata: { labels: { app: 'x' } },
      }),
    ],
    [west],
    ['b.service: 0 of 1 machines can take it: m2: has 1 of these already'],
  ],
  [
    'ScheduleAnyway only prefers what is even',
    [1, 2, 3].map((n) =>
      fields(`w@${n}.service`, {
        spread: [{ topologyKey: 'region', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }],
      }),
    ),
    [east, west],
    ['w@1.service bind m1', 'w@2.service bind m2', 'w@3.service bind m1'],
  ],
]

for (const [title, units, machines, expect] of ROWS)
  test(title, () => assert.equal(plan({ units, machines, assumed: new Map() }).map(brief), expect))

test('the smallest change is on the machine where least has to change, and it is enough', () => {
  const asking = file('a.service', 'MachineMetadata=disk=nvme')
  const cordoned = host('m2', { region: 'west' }, { unschedulable: true })
  const found = diagnose(asking, [cordoned, east], [asking])
  assert.equal(
    found?.machines.map(({ refusals }) => refusals.length),
    [1, 2],
  )
  assert.equal(
    found?.smallest?.refusals.map(({ fix }) => fix),
    ['kubectl label --overwrite machine m1 disk=nvme'],
  )
  const changed = host('m1', { disk: 'nvme' })
  assert.equal(plan({ units: [asking], machines: [cordoned, changed], assumed: new Map() }).map(brief), [
    'a.service bind m1',
  ])
})

test.run()
