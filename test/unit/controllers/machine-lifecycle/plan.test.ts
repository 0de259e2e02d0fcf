import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Action, type Observed, plan } from '../../../../controllers/machine-lifecycle/plan.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'

const test = suite('what follows when a machine is lost')

const held = (name: string, machineName: string, spec: Partial<Unit['spec']> = {}) =>
  unit(name, { spec: { machineName, ...spec }, status: { machineName } })
/** Held by m1, which said of it whether it is active. */
const said = (name: string, status: 'True' | 'False' | 'Unknown', spec: Partial<Unit['spec']>) => {
  const active = { type: 'Active', status, reason: 'Running', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
  return unit(name, { spec: { machineName: 'm1', ...spec }, status: { machineName: 'm1', conditions: [active] } })
}
const marked = (name: string) => machine(name, { ready: 'Unknown', reason: 'LeaseExpired' })
const brief = (action: Action): string =>
  action.do === 'mark'
    ? `mark ${action.machine.metadata.name}`
    : `${action.do} ${action.unit.metadata.name} from ${action.machine}`

interface Row {
  readonly title: string
  readonly machines?: Observed['machines']
  readonly units?: Observed['units']
  readonly stale?: readonly string[]
  readonly trusted?: boolean
  readonly expect: readonly string[]
}

const rows: readonly Row[] = [
  { title: 'while all renew nothing happens', units: [held('a.service', 'm1')], expect: [] },
  {
    title: 'its units wait until everybody can see that it is lost',
    stale: ['m1'],
    units: [held('a.service', 'm1')],
    expect: ['mark m1'],
  },
  {
    title: 'units of a lost machine are released, those of others stay',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1'],
    units: [held('b.service', 'm1'), held('a.service', 'm1'), held('c.service', 'm2')],
    expect: ['release a.service from m1', 'release b.service from m1'],
  },
  {
    title: 'when nobody is heard machines are marked but nobody is moved',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1', 'm2'],
    trusted: false,
    units: [held('a.service', 'm1'), held('b.service', 'm2')],
    expect: ['mark m2'],
  },
  {
    title: 'a machine that renews again keeps its units though its agent has not said Ready yet',
    machines: [marked('m1'), machine('m2')],
    units: [held('a.service', 'm1')],
    expect: [],
  },
  {
    title: 'exclusive and unmovable units stay, and people are told when the machine is marked',
    stale: ['m1'],
    units: [held('a.service', 'm1', { failover: 'exclusive' }), held('b.service', 'm1', { failover: 'none' })],
    expect: ['mark m1', 'keep a.service from m1', 'keep b.service from m1'],
  },
  {
    title: 'and they stay later',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1'],
    units: [held('a.service', 'm1', { failover: 'exclusive' }), held('b.service', 'm1', { failover: 'none' })],
    expect: [],
  },
  {
    title: 'what stays with its lost machine is no longer said to be known',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1'],
    units: [said('a.service', 'True', { failover: 'none' }), said('b.service', 'False', { failover: 'none' })],
    expect: ['doubt a.service from m1', 'doubt b.service from m1'],
  },
  {
    title: 'and that is said once',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1'],
    units: [said('a.service', 'Unknown', { failover: 'none' })],
    expect: [],
  },
  {
    title: 'when nobody is heard no state is doubted: it is the control plane that was cut off',
    machines: [marked('m1')],
    stale: ['m1'],
    trusted: false,
    units: [said('a.service', 'True', { failover: 'none' })],
    expect: [],
  },
  {
    title: 'units of a machine that was removed are released at once, only exclusive ones wait',
    units: [
      held('a.service', 'gone'),
      held('b.service', 'gone', { failover: 'none' }),
      held('c.service', 'gone', { failover: 'exclusive' }),
    ],
    trusted: false,
    expect: ['release a.service from gone', 'release b.service from gone'],
  },
  {
    title: 'a lost holder is cleared from a unit that is bound elsewhere already',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1'],
    units: [unit('a.service', { spec: { machineName: 'm2' }, status: { machineName: 'm1' } })],
    expect: ['release a.service from m1'],
  },
]

for (const { title, machines = [machine('m1'), machine('m2')], units = [], stale = [], trusted = true, expect } of rows)
  test(title, () => {
    const actions = plan({ machines, units, verdict: { stale: new Set(stale), trusted } })
    assert.equal(actions.map(brief), expect)
    for (const { reason } of actions) assert.ok(reason)
  })

test.run()
