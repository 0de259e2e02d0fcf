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
const SINGLE = { failover: 'exclusive' as const }
const KEPT = { finalizers: ['flotilla.dev/stopped'] }
const OWNER = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: 'g.service', uid: 'u', controller: true }
const single = (name: string, machineName: string, status: Unit['status'] = { fencingToken: '5' }) =>
  unit(name, { spec: { machineName, ...SINGLE }, status: { machineName, ...status }, metadata: KEPT })
const deleted = (name: string, machineName?: string) =>
  unit(name, {
    spec: SINGLE,
    metadata: { ...KEPT, deletionTimestamp: '2026-01-01T00:00:00Z' },
    status: machineName === undefined ? {} : { machineName, fencingToken: '5' },
  })
const marked = (name: string) => machine(name, { ready: 'Unknown', reason: 'LeaseExpired' })
const brief = (action: Action): string =>
  action.do === 'mark' || action.do === 'tell'
    ? `${action.do} ${action.machine.metadata.name}`
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
    title: 'unmovable units stay, as do exclusive ones that nobody fences; people are told when the machine is marked',
    stale: ['m1'],
    units: [single('a.service', 'm1', {}), held('b.service', 'm1', { failover: 'none' }), single('c.service', 'm1')],
    expect: ['mark m1', 'keep a.service from m1', 'keep b.service from m1'],
  },
  {
    title: 'and they stay later; what its holder fences is moved',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1'],
    units: [single('a.service', 'm1', {}), held('b.service', 'm1', { failover: 'none' }), single('c.service', 'm1')],
    expect: ['release c.service from m1'],
  },
  {
    title: 'an exclusive unit that was never claimed leaves a lost machine',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1'],
    units: [unit('a.service', { spec: { machineName: 'm1', failover: 'exclusive' }, metadata: KEPT })],
    expect: ['release a.service from m1'],
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
    title:
      'units of a machine that was removed are released at once, only exclusive ones wait for its lease to run out',
    units: [held('a.service', 'gone'), held('b.service', 'gone', { failover: 'none' }), single('c.service', 'gone')],
    trusted: false,
    expect: ['release a.service from gone', 'release b.service from gone'],
  },
  {
    title: 'which needs no witness: a machine that was removed cannot renew',
    units: [single('c.service', 'gone')],
    stale: ['gone'],
    trusted: false,
    expect: ['release c.service from gone'],
  },
  {
    title: 'instances of a Global unit stay without a word: they belong to their machine',
    stale: ['m1'],
    units: [
      unit('g.m1.service', {
        spec: { machineName: 'm1', failover: 'none', placement: { global: true } },
        status: { machineName: 'm1' },
        metadata: { ownerReferences: [OWNER] },
      }),
    ],
    expect: ['mark m1'],
  },
  {
    title: 'an exclusive unit that was bound by hand is kept from vanishing before anybody claims it',
    units: [
      unit('a.service', { spec: { machineName: 'm1', failover: 'exclusive' } }),
      unit('b.service', { spec: SINGLE }),
    ],
    expect: ['guard a.service from m1'],
  },
  {
    title: 'a deleted exclusive unit goes when nobody holds it any more',
    units: [deleted('a.service', 'm1'), deleted('b.service')],
    expect: ['unguard b.service from '],
  },
  {
    title: 'the holder of a deleted unit may be lost too',
    machines: [marked('m1'), machine('m2')],
    stale: ['m1'],
    units: [deleted('a.service', 'm1')],
    expect: ['release a.service from m1'],
  },
  {
    title: 'what is no longer exclusive is kept until its holder says so',
    units: [
      unit('a.service', { spec: { machineName: 'm1' }, metadata: KEPT, status: { machineName: 'm1' } }),
      unit('b.service', {
        spec: { machineName: 'm1' },
        metadata: KEPT,
        status: { machineName: 'm1', fencingToken: '5' },
      }),
    ],
    expect: ['unguard a.service from m1'],
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
