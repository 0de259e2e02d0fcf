/** Longer than 250 lines: it is one table of decisions, to be read in one piece. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Action, type Observed, plan } from '../../../../controllers/drain/plan.ts'
import type { PodDisruptionBudget } from '../../../../crds/core/index.ts'
import { EVICT_FROM, MOVED_FROM } from '../../../../crds/drain.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'

const test = suite('what leaves a machine that is drained')

const ACTIVE = { type: 'Active', status: 'True', reason: 'Running', message: '', lastTransitionTime: '' } as const
type Facts = Parameters<typeof unit>[1] & { readonly on?: string }

/** Running where it is placed. */
const runs = (name: string, on: string, { spec, metadata, status }: Facts = {}): Unit =>
  unit(name, {
    metadata: { uid: name, ...metadata },
    spec: { machineName: on, ...spec },
    status: { machineName: on, conditions: [ACTIVE], ...status },
  })
const follows = (leader: string) => ({ spec: { placement: { machineOf: [leader] } } })
const moved = (name: string, spec: Partial<Unit['spec']>, status: Unit['status']) =>
  unit(name, { metadata: { annotations: { [MOVED_FROM]: 'm1' } }, spec, ...(status && { status }) })
const noPlace = { ...ACTIVE, type: 'Scheduled', status: 'False', reason: 'NoMachineFits', message: 'no room' } as const

const drained = (parallel?: string, more: Partial<NonNullable<Machine['spec']>> = {}): Machine =>
  machine('m1', {
    spec: {
      unschedulable: true,
      taints: [{ key: 'flotilla.dev/drain', effect: 'NoSchedule', ...(parallel && { value: parallel }) }],
      ...more,
    },
  })
const set = (name: string, replicas: number, maxUnavailable?: number) =>
  unit(name, {
    metadata: { uid: name },
    spec: { replicas, ...(maxUnavailable !== undefined && { maxUnavailable }) },
  })
const childOf = (parent: string) => ({
  ownerReferences: [{ apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: parent, uid: parent, controller: true }],
})
const instance = (name: string, on: string, parent: string, facts: Facts = {}) =>
  runs(name, on, { ...facts, metadata: childOf(parent) })
const budget = (app: string, minAvailable: number) =>
  ({
    metadata: { name: 'pdb', namespace: 'default' },
    spec: { minAvailable, selector: { matchLabels: { app } } },
  }) as unknown as PodDisruptionBudget

const brief = (action: Action): string => {
  switch (action.do) {
    case 'take-off':
      return `off ${action.units.map(({ metadata }) => metadata.name).join('+')}`
    case 'forget':
      return `forget ${action.unit.metadata.name} ${action.marks.map((mark) => mark.split('/')[1]).join('+')}`
    case 'end':
      return `end ${action.machine.metadata.name}`
    case 'report':
      return action.condition ? `${action.condition.reason}: ${action.condition.message}` : 'take the condition away'
  }
}

interface Row {
  readonly title: string
  readonly machines?: readonly Machine[]
  readonly units: readonly Unit[]
  readonly budgets?: Observed['budgets']
  /** Actions, the condition last; where it begins so. */
  readonly expect: readonly (string | RegExp)[]
}

const rows: readonly Row[] = [
  {
    title: 'a machine that is only cordoned keeps everything',
    machines: [machine('m1', { spec: { unschedulable: true } }), machine('m2')],
    units: [runs('a.service', 'm1')],
    expect: [],
  },
  {
    title: 'an empty machine is drained at once',
    units: [runs('a.service', 'm2')],
    expect: ['Drained: nothing is left to move'],
  },
  {
    title: 'so many go at once as the drain says, by name',
    machines: [drained('2'), machine('m2')],
    units: [runs('c.service', 'm1'), runs('b.service', 'm1'), runs('a.service', 'm1')],
    expect: [
      'off a.service',
      'off b.service',
      'Draining: 3 units to go; moving: a.service (stopping), b.service (stopping); waiting: c.service (waits its turn)',
    ],
  },
  {
    title: 'without a number it is four',
    units: ['a', 'b', 'c', 'd', 'e'].map((name) => runs(`${name}.service`, 'm1')),
    expect: ['off a.service', 'off b.service', 'off c.service', 'off d.service', /^Draining: 5 units/],
  },
  {
    title: 'the next go only when the earlier ones are well elsewhere',
    machines: [drained('1'), machine('m2')],
    units: [moved('a.service', { machineName: 'm2' }, { machineName: 'm2' }), runs('b.service', 'm1')],
    expect: [/^Draining: 1 unit to go; moving: a.service \(starting on m2\); waiting: b.service \(waits its turn\)/],
  },
  {
    title: 'who is well elsewhere is no longer on its way',
    machines: [drained('1'), machine('m2')],
    units: [
      moved('a.service', { machineName: 'm2' }, { machineName: 'm2', conditions: [ACTIVE] }),
      runs('b.service', 'm1'),
    ],
    expect: ['off b.service', 'forget a.service moved-from', /^Draining/],
  },
  {
    title: 'who visibly has no place holds up nobody, and is told',
    machines: [drained('1'), machine('m2')],
    units: [moved('a.service', {}, { conditions: [noPlace] }), runs('b.service', 'm1')],
    expect: ['off b.service', /^Draining: .*; on no machine: a.service \(no room\)$/],
  },
  {
    title: 'a failure elsewhere ends a move',
    machines: [drained('1'), machine('m2')],
    units: [
      moved(
        'a.service',
        { machineName: 'm2' },
        { machineName: 'm2', conditions: [{ ...ACTIVE, status: 'False', reason: 'Failed' }] },
      ),
    ],
    expect: ['forget a.service moved-from', /^Drained/],
  },
  {
    title: 'a machine is drained when its units have really left, not before',
    units: [moved('a.service', { machineName: 'm2' }, { machineName: 'm1', conditions: [ACTIVE] })],
    expect: ['Draining: 1 unit to go; moving: a.service (stopping)'],
  },
  {
    title: 'followers go with whom they follow, the leader first, also more than there may be at once',
    machines: [drained('2'), machine('m2')],
    units: [
      runs('a.timer', 'm1', follows('z.service')),
      runs('b.timer', 'm1', follows('z.service')),
      runs('c.service', 'm1'),
      runs('z.service', 'm1'),
    ],
    expect: ['off z.service+a.timer+b.timer', /waiting: c.service \(waits its turn\)/],
  },
  {
    title: 'those that follow each other go together',
    units: [runs('a.service', 'm1', follows('b.service')), runs('b.service', 'm1', follows('a.service'))],
    expect: [/^off (a.service\+b.service|b.service\+a.service)$/, /^Draining/],
  },
  {
    title:
      'failover: none, who tolerates it, and who is tied to such a one stay and are told; so do instances of Global ones',
    units: [
      runs('a.service', 'm1', { spec: { failover: 'none' } }),
      runs('b.service', 'm1', {
        spec: { placement: { tolerations: [{ key: 'flotilla.dev/drain', operator: 'Exists' }] } },
      }),
      runs('c.service', 'm1', follows('d.service')),
      runs('d.service', 'm1', { spec: { failover: 'none' } }),
      instance('log.m1.service', 'm1', 'log.service', { spec: { placement: { global: true } } }),
    ],
    expect: [
      'Drained: nothing is left to move; staying: a.service (its failover is none), b.service (it tolerates ' +
        'flotilla.dev/drain), d.service + c.service (with d.service: its failover is none); staying: 1 unit of Global ones',
    ],
  },
  {
    title: 'an exclusive unit is simply moved: its holder gives it back before another takes it',
    units: [runs('a.service', 'm1', { spec: { failover: 'exclusive' } })],
    expect: ['off a.service', /^Draining/],
  },
  {
    title: 'of a set no more are down than it bears, over all machines',
    units: [
      set('web@.service', 3),
      instance('web@1.service', 'm1', 'web@.service'),
      instance('web@2.service', 'm1', 'web@.service'),
      instance('web@3.service', 'm2', 'web@.service'),
    ],
    expect: ['off web@1.service', /waiting: web@2.service \(web@.service may have 1 down and has 0\)/],
  },
  {
    title: 'one that is down elsewhere uses up the budget of its set',
    units: [
      set('web@.service', 2),
      instance('web@1.service', 'm1', 'web@.service'),
      instance('web@2.service', 'm2', 'web@.service', { status: { machineName: '' } }),
    ],
    expect: ['Held: 1 unit to go; waiting: web@1.service (web@.service may have 1 down and has 1)'],
  },
  {
    title: 'what is down already costs its set nothing',
    units: [
      set('web@.service', 2, 1),
      instance('web@1.service', 'm1', 'web@.service', { status: { conditions: [] } }),
      instance('web@2.service', 'm2', 'web@.service'),
    ],
    expect: ['off web@1.service', /^Draining/],
  },
  {
    title: 'while a set rolls out none of it is taken, also when nobody has looked at its newest content yet',
    units: [
      unit('web@.service', { metadata: { uid: 'web@.service', generation: 2 }, status: { observedGeneration: 1 } }),
      instance('web@1.service', 'm1', 'web@.service'),
      unit('api@.service', {
        metadata: { uid: 'api@.service' },
        status: {
          ...{ desiredReplicas: 2, updatedReplicas: 1 },
          conditions: [{ ...ACTIVE, type: 'Progressing', reason: 'RollingOut' }],
        },
      }),
      instance('api@1.service', 'm1', 'api@.service'),
    ],
    expect: [
      'Held: 2 units to go; waiting: api@1.service (api@.service is rolling out), web@1.service (web@.service is rolling out)',
    ],
  },
  {
    title: 'a disruption budget counts the units it selects',
    units: ['a', 'b', 'c'].map((name) =>
      runs(`${name}.service`, name === 'c' ? 'm2' : 'm1', { metadata: { labels: { app: 'x' } } }),
    ),
    budgets: [budget('x', 2)],
    expect: ['off a.service', /waiting: b.service \(the disruption budget pdb needs 2 and has 3\)/],
  },
  {
    title: 'what no other machine takes goes last, and then it goes',
    machines: [drained('2'), machine('m2')],
    units: [
      runs('a.service', 'm1', { spec: { placement: { machineSelector: { matchLabels: { no: 'where' } } } } }),
      runs('b.service', 'm1'),
    ],
    expect: ['off b.service', /waiting: a.service \(goes last: no other machine takes it\)/],
  },
  {
    title: 'alone it is taken off: the machine is to be emptied',
    units: [runs('a.service', 'm1', { spec: { placement: { machineSelector: { matchLabels: { no: 'where' } } } } })],
    expect: ['off a.service', /^Draining/],
  },
  {
    title: 'who was asked by name leaves a machine that is not drained, and only who was asked',
    machines: [machine('m1'), machine('m2')],
    units: [runs('a.service', 'm1', { metadata: { annotations: { [EVICT_FROM]: 'm1' } } }), runs('b.service', 'm1')],
    expect: ['off a.service', 'Draining: 1 unit to go; moving: a.service (stopping)'],
  },
  {
    title: 'a wish to leave where it is not is forgotten',
    machines: [machine('m1'), machine('m2')],
    units: [runs('a.service', 'm2', { metadata: { annotations: { [EVICT_FROM]: 'm1' } } })],
    expect: ['forget a.service evict-from'],
  },
  {
    title: 'whoever uncordons a machine ends its drain',
    machines: [{ ...drained('1', { unschedulable: false }) }],
    units: [runs('a.service', 'm1')],
    expect: ['end m1'],
  },
  {
    title: 'what was said of a drain goes with it',
    machines: [machine('m1', { ready: 'True' })].map((each) => ({
      ...each,
      status: { conditions: [...(each.status?.conditions ?? []), { ...ACTIVE, type: 'Drained' }] },
    })),
    units: [],
    expect: ['take the condition away'],
  },
]

for (const { title, units, expect, machines = [drained(), machine('m2')], budgets = [] } of rows)
  test(title, () => {
    const actions = plan({ machines, units, budgets }).map(brief)
    assert.is(actions.length, expect.length, actions.join('\n'))
    for (const [at, each] of expect.entries())
      if (typeof each === 'string') assert.is(actions[at], each)
      else assert.match(actions[at] ?? '', each)
  })

test('what is said already is not said again', () => {
  const units = [runs('a.service', 'm2')]
  const [report] = plan({ machines: [drained()], units, budgets: [] })
  assert.ok(report?.do === 'report' && report.condition)
  const said = drained()
  const conditions = [{ ...report.condition, lastTransitionTime: '2026-01-01T00:00:00Z' }]
  assert.equal(plan({ machines: [{ ...said, status: { conditions } }], units, budgets: [] }), [])
})

test.run()
