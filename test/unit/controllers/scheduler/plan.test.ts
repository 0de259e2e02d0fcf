import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setCondition } from '../../../../controllers/lib/conditions.ts'
import { type Action, type Observed, plan } from '../../../../controllers/scheduler/plan.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'

const test = suite('where units go')
const none: ReadonlyMap<string, string> = new Map()
const bound = (name: string, machineName: string, spec: Partial<Unit['spec']> = {}) =>
  unit(name, { spec: { machineName, ...spec } })

const brief = (action: Action): string =>
  action.do === 'explain'
    ? `${action.unit.metadata.name}: ${action.conditions.map((c) => `${c.type}=${c.status} ${c.reason}`).join(', ')}`
    : `${action.do} ${action.unit.metadata.name} ${action.machine}`
const planned = (observed: Partial<Observed>) =>
  plan({ machines: [machine('m1'), machine('m2')], units: [], assumed: none, ...observed }).map(brief)

interface Row {
  readonly title: string
  readonly observed: Partial<Observed>
  readonly expect: readonly string[]
}
const owner = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: 'parent', uid: 'p', controller: true }
const xFleet = (option: string) => ({ spec: { content: `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${option}\n` } })

const rows: readonly Row[] = [
  {
    title: 'a unit goes to the machine with the fewest units',
    observed: { units: [bound('a.service', 'm1'), unit('b.service')] },
    expect: ['bind b.service m2'],
  },
  {
    title: 'equal machines are taken by name',
    observed: { units: [unit('a.service')], machines: [machine('m2'), machine('m1')] },
    expect: ['bind a.service m1'],
  },
  {
    title: 'each placement counts for the next, whatever order the units come in',
    observed: { units: ['d', 'b', 'c', 'a'].map((n) => unit(`${n}.service`)) },
    expect: ['bind a.service m1', 'bind b.service m2', 'bind c.service m1', 'bind d.service m2'],
  },
  {
    title: 'a loaded unit counts like a launched one, an inactive one does not count',
    observed: {
      units: [
        bound('a.service', 'm1', { desiredState: 'loaded' }),
        bound('b.service', 'm2', { desiredState: 'inactive' }),
        unit('c.service'),
      ],
    },
    expect: ['unbind b.service m2', 'bind c.service m2'],
  },
  {
    title: 'what was decided and is not visible yet counts, and is not decided again',
    observed: { units: [unit('a.service'), unit('b.service')], assumed: new Map([['a.service', 'm1']]) },
    expect: ['bind b.service m2'],
  },
  {
    title: 'a bound unit stays where it is',
    observed: { units: [bound('a.service', 'm1'), bound('b.service', 'm1')] },
    expect: [],
  },
  {
    title: 'a template is stored, not placed',
    observed: { units: [unit('web@.service', { spec: { desiredState: 'inactive' } })] },
    expect: [],
  },
  {
    title: 'a unit that is being deleted is not placed',
    observed: { units: [unit('a.service', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })] },
    expect: [],
  },
  {
    title: 'only ready, uncordoned, untainted machines get units',
    observed: {
      units: [unit('a.service')],
      machines: [
        machine('m1', { ready: 'Unknown', reason: 'LeaseExpired' }),
        machine('m2', { spec: { unschedulable: true } }),
        machine('m3', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } }),
        machine('m4', { ready: 'unreported' }),
        machine('m5', { spec: { taints: [{ key: 'gpu', effect: 'PreferNoSchedule' }] } }),
      ],
    },
    expect: ['bind a.service m5'],
  },
  {
    title: 'without machines the unit says so',
    observed: { units: [unit('a.service')], machines: [] },
    expect: ['a.service: Scheduled=False NoMachines'],
  },
  {
    title: 'MachineID chooses the machine, as a field and in [X-Fleet]',
    observed: {
      units: [
        unit('a.service', xFleet('MachineID=bbb')),
        unit('b.service', { spec: { placement: { machineID: 'ccc' } } }),
      ],
      machines: [machine('m1', { machineID: 'aaa' }), machine('m2', { machineID: 'bbb' })],
    },
    expect: ['bind a.service m2', 'b.service: Scheduled=False NoMachineFits'],
  },
  {
    title: 'a parent is never bound, and what was bound before it became one is taken off',
    observed: {
      units: [
        unit('b.service', { spec: { replicas: 3 } }),
        unit('c@.service', { spec: { replicas: 3 } }),
        unit('d.service', xFleet('Global=true')),
        bound('e.service', 'm1', { placement: { global: true } }),
      ],
    },
    expect: ['unbind e.service m1'],
  },
  {
    title: 'an instance of a Global unit is bound by its owner, one of a replicated unit by the scheduler',
    observed: {
      units: [
        unit('a.1.service', { metadata: { ownerReferences: [owner] } }),
        unit('b.m9.service', { ...xFleet('Global=true'), metadata: { ownerReferences: [owner] } }),
        unit('c.m9.service', {
          spec: { placement: { global: true }, machineName: 'm9', desiredState: 'inactive' },
          metadata: { ownerReferences: [owner] },
        }),
      ],
    },
    expect: ['bind a.1.service m1'],
  },
  {
    title: 'MachineOf follows its peer, also one placed in the same round, and waits while there is none',
    observed: {
      units: [
        unit('a.timer', { spec: { placement: { machineOf: ['b.service'] } } }),
        bound('b.service', 'm2'),
        unit('c.timer', xFleet('MachineOf=d.service')),
        unit('e.service'),
        unit('f.timer', xFleet('MachineOf=e.service')),
      ],
    },
    expect: ['bind a.timer m2', 'c.timer: Scheduled=False NoMachineFits', 'bind e.service m1', 'bind f.timer m1'],
  },
  {
    title: 'Global=false asks for nothing',
    observed: { units: [unit('a.service', xFleet('Global=false'))] },
    expect: ['bind a.service m1'],
  },
  {
    title: 'drop-ins, environment and credentials are acted on, and nothing needs saying',
    observed: {
      units: [
        bound('a.service', 'm1', {
          dropIns: [{ name: '10-a.conf', content: '[Unit]' }],
          environment: [{ name: 'A', value: 'a' }],
          credentials: [{ name: 'a', secretKeyRef: { name: 's', key: 'k' } }],
        }),
      ],
    },
    expect: [],
  },
  {
    title: 'other fields that are not acted on are named once the unit is placed',
    observed: {
      units: [
        bound('a.service', 'm1', xFleet('MachineMetadata=nothing').spec),
        unit('b.service', { spec: { resources: { limits: { memory: '1Gi' } } } }),
      ],
    },
    expect: ['a.service: PlacementSupported=False NotActedOnYet', 'bind b.service m2'],
  },
]

for (const { title, observed, expect } of rows) test(title, () => assert.equal(planned(observed), expect))

test('a unit that fits nowhere hears a reason for each machine, once', () => {
  const machines = [
    machine('m2', { spec: { unschedulable: true } }),
    machine('m1', { ready: 'False', reason: 'Draining' }),
  ]
  const [action] = plan({ machines, units: [unit('a.service')], assumed: none })
  assert.is(action?.reason, '0 of 2 machines can take it: m1: not ready (Draining); m2: cordoned')
  if (action?.do !== 'explain') throw new Error('expected an explanation')
  const [condition] = action.conditions
  if (!condition) throw new Error('expected a condition')
  const told = unit('a.service', { status: { conditions: setCondition([], condition, new Date(0)) } })
  assert.equal(plan({ machines, units: [told], assumed: none }), [])
})

test('of more than ten machines those with the same reason are counted', () => {
  const machines = Array.from({ length: 12 }, (_, i) => machine(`m${10 + i}`, { spec: { unschedulable: true } }))
  const [action] = plan({ machines, units: [unit('a.service')], assumed: none })
  assert.is(action?.reason, '0 of 12 machines can take it: 12 of them: cordoned')
})

test('5 000 units on 100 machines are spread evenly in one round that takes no time to notice', () => {
  const machines = Array.from({ length: 100 }, (_, i) => machine(`m${i}`))
  const units = Array.from({ length: 5_000 }, (_, i) => unit(`u${i}.service`))
  const before = process.cpuUsage()
  const actions = plan({ machines, units, assumed: none })
  // Of the processor: other tests run beside this one.
  const tookMs = process.cpuUsage(before).user / 1000
  const loads = new Map<string, number>()
  for (const action of actions)
    if (action.do === 'bind') loads.set(action.machine, (loads.get(action.machine) ?? 0) + 1)
  assert.equal([...new Set(loads.values())], [50])
  // On a busy box the same takes twice the processor's time; what is quadratic takes ten times.
  assert.ok(tookMs < 1_000, `took ${tookMs.toFixed(0)} ms`)
})

test.run()
