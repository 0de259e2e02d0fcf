/** Longer than 250 lines: it is one table of decisions, to be read in one piece. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { instanceName } from '../../../../controllers/unit-set/names.ts'
import { type Action, type Observed, plan } from '../../../../controllers/unit-set/plan.ts'
import { maxUnavailableOf } from '../../../../controllers/unit-set/roll.ts'
import { MOVED_FROM } from '../../../../crds/drain.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { checkUnitName } from '../../../../crds/unit-name.ts'
import { INSTANCE_OF, isParent } from '../../../../crds/unit-set.ts'
import { unit } from '../../../support/objects.ts'

const test = suite('what becomes of the instances of a unit')
const OLD = '[Service]\nExecStart=/bin/old\n'
const NEW = '[Service]\nExecStart=/bin/new\n'
const GLOBAL = `${NEW}[X-Fleet]\nGlobal=true\n`
const GENERATION = 2

type Spec = Partial<Unit['spec']>
const set = (spec: Spec, name = 'web@.service', more: Partial<Unit> = {}) => ({
  ...unit(name, { spec: { content: NEW, ...spec }, metadata: { uid: 'p', generation: 7 } }),
  ...more,
})

interface Said {
  readonly active?: 'True' | 'False'
  readonly reason?: string
  readonly generation?: number
  readonly subState?: string
}
const status = ({ active = 'True', reason = 'Running', generation = GENERATION, subState }: Said): Unit['status'] => ({
  currentState: 'launched',
  ...(subState === undefined ? {} : { systemd: { subState } }),
  conditions: [
    {
      ...{ type: 'Active', status: active, reason, message: 'said by a test' },
      ...{ lastTransitionTime: '2031-01-01T00:00:00Z', observedGeneration: generation },
    },
  ],
})
/** An instance on m1 that runs with the newest content, but for what is given. */
function child(name: string, spec: Spec = {}, said: Said | null = {}, metadata: Partial<Unit['metadata']> = {}): Unit {
  const owner = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: 'web@.service', uid: 'p', controller: true }
  const parent = name.startsWith('web@') ? 'web@.service' : 'web.service'
  const annotations = { ...metadata.annotations, [INSTANCE_OF]: parent }
  return unit(name, {
    spec: { content: NEW, machineName: 'm1', ...spec },
    metadata: { generation: GENERATION, ownerReferences: [owner], ...metadata, annotations },
    ...(said === null ? {} : { status: status(said) }),
  })
}
const web = (n: number | string, spec?: Spec, said?: Said | null) => child(`web@${n}.service`, spec, said)
const old = (n: number, said?: Said | null, spec: Spec = {}) => web(n, { content: OLD, ...spec }, said)
const failed = { active: 'False', reason: 'Failed' } as const
const starting = { active: 'False', reason: 'Starting' } as const
const deleting = { deletionTimestamp: '2031-01-01T00:00:00Z' }
const onMachine = (machine: string, spec: Spec = {}, said?: Said | null) =>
  child(
    `web.${machine}.service`,
    { content: GLOBAL, unitName: 'web.service', machineName: machine, failover: 'none', ...spec },
    said,
  )
const everywhere = (spec: Spec = {}) => set({ content: GLOBAL, ...spec }, 'web.service')

function brief(action: Action): string {
  if (action.do === 'delete') return `- ${action.child.metadata.name}`
  if (action.do === 'create') return `+ ${action.name}`
  if (action.do === 'update')
    return `~ ${action.child.metadata.name}${action.spec.content === OLD ? ' (not its content)' : ''}`
  const { counts, condition } = action.report
  if (!counts) return 'no counts'
  const { desiredReplicas: d, replicas: r, activeReplicas: a, readyReplicas: y, updatedReplicas: u } = counts
  return `${[d, r, a, y, u].join(' ')} ${condition?.status} ${condition?.reason}`
}
const observe = (parent: Unit, children: readonly Unit[] = [], more: Partial<Observed> = {}): Observed => ({
  ...{ parent, children, machines: [], isReachable: () => true, isTaken: () => false },
  wellForMs: () => 60_000,
  ...more,
})
const planned = (observed: Observed) => plan(observed).map(brief)
const taken = (...names: string[]) => ({ isTaken: (name: string) => names.includes(name) })
const freshly = (...names: string[]) => ({
  wellForMs: ({ metadata }: Readonly<Unit>) => (names.includes(metadata.name) ? 499 : 500),
})
const away = (...names: string[]) => ({ isReachable: (name: string) => !names.includes(name) })

type Row = readonly [title: string, observed: Observed, expect: readonly string[]]

/** The last line is desired, there, active, ready, updated, and the condition Progressing. */
const rows: readonly Row[] = [
  [
    'replicas of a template are its instances',
    observe(set({ replicas: 2 })),
    ['+ web@1.service', '+ web@2.service', '2 0 0 0 0 True RollingOut'],
  ],
  [
    'a plain unit has its instances under names of their own',
    observe(set({ replicas: 1 }, 'web.service')),
    ['+ web.1.service', '1 0 0 0 0 True RollingOut'],
  ],
  ['no replicas are none', observe(set({ replicas: 0 })), ['0 0 0 0 0 True Complete']],
  [
    'all there and as asked for: complete',
    observe(set({ replicas: 2 }), [web(1), web(2)]),
    ['2 2 2 2 2 True Complete'],
  ],
  [
    'scaling down takes the highest numbers, the highest first',
    observe(
      set({ replicas: 1 }),
      [1, 2, 9, 10].map((n) => web(n)),
    ),
    ['- web@10.service', '- web@9.service', '- web@2.service', '1 1 1 1 1 True Complete'],
  ],
  [
    'a gap is filled',
    observe(set({ replicas: 3 }), [web(1), web(3)]),
    ['+ web@2.service', '3 2 2 2 2 True RollingOut'],
  ],
  [
    'what is being deleted is waited for',
    observe(set({ replicas: 1 }), [child('web@1.service', {}, {}, deleting)]),
    ['1 0 0 0 0 True RollingOut'],
  ],
  [
    'and is not deleted twice',
    observe(set({ replicas: 0 }), [child('web@1.service', {}, {}, deleting)]),
    ['0 0 0 0 0 True Complete'],
  ],
  [
    'of a set that is being deleted nothing is made or changed',
    observe(set({ replicas: 3 }, 'web@.service', { metadata: { name: 'web@.service', uid: 'p', ...deleting } }), [
      old(1),
    ]),
    [],
  ],
  [
    'new content goes to one at a time, the lowest first',
    observe(set({ replicas: 3 }), [old(1), old(2), old(3)]),
    ['~ web@1.service', '3 3 3 3 0 True RollingOut'],
  ],
  [
    'one that a drain has just taken off is down, whatever is still said of it: it comes first, and uses up what may be down',
    observe(set({ replicas: 2 }), [
      old(1),
      child('web@2.service', { content: OLD, machineName: '' }, {}, { annotations: { [MOVED_FROM]: 'm1' } }),
    ]),
    ['~ web@2.service', '2 2 2 2 0 True RollingOut'],
  ],
  [
    'the next waits until that one is active',
    observe(set({ replicas: 3 }), [web(1, {}, starting), old(2), old(3)]),
    ['3 3 2 2 1 True RollingOut'],
  ],
  [
    'and what is said of the spec before does not count',
    observe(set({ replicas: 3 }), [web(1, {}, { generation: 1 }), old(2), old(3)]),
    ['3 3 3 2 1 True RollingOut'],
  ],
  [
    'then it goes on',
    observe(set({ replicas: 3 }), [web(1), old(2), old(3)]),
    ['~ web@2.service', '3 3 3 3 1 True RollingOut'],
  ],
  [
    'but not before it has been well for a while: a plain service is active before its program runs',
    observe(set({ replicas: 3 }), [web(1), old(2), old(3)], freshly('web@1.service')),
    ['3 3 3 3 1 True RollingOut'],
  ],
  [
    'minReadySeconds says how long that is',
    observe(set({ replicas: 2, minReadySeconds: 0 }), [web(1), old(2)], freshly('web@1.service')),
    ['~ web@2.service', '2 2 2 2 1 True RollingOut'],
  ],
  [
    'a longer while is waited for, too',
    observe(set({ replicas: 2, minReadySeconds: 61 }), [web(1), old(2)]),
    ['2 2 2 2 1 True RollingOut'],
  ],
  [
    'where nothing rolls, nothing waits',
    observe(set({ replicas: 2 }), [web(1), web(2)], freshly('web@1.service', 'web@2.service')),
    ['2 2 2 2 2 True Complete'],
  ],
  [
    'a service that ended well was active',
    observe(set({ replicas: 2 }), [web(1, {}, { active: 'False', reason: 'Completed' }), old(2)]),
    ['~ web@2.service', '2 2 1 1 1 True RollingOut'],
  ],
  [
    'one that fails stops it',
    observe(set({ replicas: 3 }), [web(1, {}, failed), old(2), old(3)]),
    ['3 3 2 2 1 False InstanceFailed'],
  ],
  [
    'so does one that is refused',
    observe(set({ replicas: 2 }), [web(1, {}, { active: 'False', reason: 'Refused' }), old(2)]),
    ['2 2 1 1 1 False InstanceFailed'],
  ],
  [
    'so does one that is started again and again',
    observe(set({ replicas: 2 }), [web(1, {}, { ...starting, subState: 'auto-restart' }), old(2)]),
    ['2 2 1 1 1 False InstanceFailed'],
  ],
  [
    'a failure that is told of the spec before stops nothing',
    observe(set({ replicas: 2 }), [web(1, {}, { ...failed, generation: 1 }), old(2)]),
    ['2 2 1 1 1 True RollingOut'],
  ],
  [
    'stopped, it still makes what is missing',
    observe(set({ replicas: 3 }), [web(1, {}, failed), old(2)]),
    ['+ web@3.service', '3 2 1 1 1 False InstanceFailed'],
  ],
  [
    'stopped, it still scales down',
    observe(set({ replicas: 1 }), [web(1, {}, failed), old(2)]),
    ['- web@2.service', '1 1 0 0 1 False InstanceFailed'],
  ],
  [
    'content that changes again resumes it, first with those that are down',
    observe(set({ replicas: 3 }), [old(1), old(2, failed), old(3)]),
    ['~ web@2.service', '3 3 2 2 0 True RollingOut'],
  ],
  [
    'what is down costs nothing',
    observe(set({ replicas: 3 }), [old(1, failed), old(2, failed), old(3)]),
    ['~ web@1.service', '~ web@2.service', '3 3 1 1 0 True RollingOut'],
  ],
  [
    'maxUnavailable may be more',
    observe(
      set({ replicas: 4, maxUnavailable: 2 }),
      [1, 2, 3, 4].map((n) => old(n)),
    ),
    ['~ web@1.service', '~ web@2.service', '4 4 4 4 0 True RollingOut'],
  ],
  [
    'or a share, rounded down',
    observe(
      set({ replicas: 5, maxUnavailable: '50%' }),
      [1, 2, 3, 4, 5].map((n) => old(n)),
    ),
    ['~ web@1.service', '~ web@2.service', '5 5 5 5 0 True RollingOut'],
  ],
  [
    'what is down already counts',
    observe(set({ replicas: 4, maxUnavailable: 2 }), [web(1, {}, starting), old(2), old(3), old(4)]),
    ['~ web@2.service', '4 4 3 3 1 True RollingOut'],
  ],
  ['0 holds it', observe(set({ replicas: 2, maxUnavailable: 0 }), [old(1), old(2, failed)]), ['2 2 1 1 0 False Held']],
  [
    'an instance on no machine holds up nobody, and comes last',
    observe(set({ replicas: 2 }), [old(1, null, { machineName: '' }), old(2)]),
    ['~ web@2.service', '2 2 1 1 0 True RollingOut'],
  ],
  [
    'nor does one whose machine is away',
    observe(set({ replicas: 2 }), [old(1, starting, { machineName: 'm9' }), old(2)], away('m9')),
    ['~ web@2.service', '2 2 1 1 0 True RollingOut'],
  ],
  [
    'and that one is not touched before it is back',
    observe(set({ replicas: 2 }), [old(1, {}, { machineName: 'm9' }), web(2)], away('m9')),
    ['2 2 2 2 1 True RollingOut'],
  ],
  [
    'in the end what is on no machine gets it too',
    observe(set({ replicas: 2 }), [old(1, null, { machineName: '' }), web(2)]),
    ['~ web@1.service', '2 2 1 1 1 True RollingOut'],
  ],
  [
    'a machine that goes away in its turn is waited for',
    observe(set({ replicas: 2 }), [web(1, { machineName: 'm9' }, starting), old(2)], away('m9')),
    ['2 2 1 1 1 True RollingOut'],
  ],
  [
    'what restarts nothing goes to all at once, and no content with it',
    observe(set({ replicas: 2, desiredState: 'loaded', maxUnavailable: 0 }), [old(1), old(2)]),
    ['~ web@1.service (not its content)', '~ web@2.service (not its content)', '2 2 2 2 0 False Held'],
  ],
  [
    'a stopped set takes new content at once',
    observe(set({ replicas: 2, desiredState: 'inactive' }), [
      old(1, null, { desiredState: 'inactive' }),
      old(2, null, { desiredState: 'inactive' }),
    ]),
    ['~ web@1.service', '~ web@2.service', '2 2 0 0 0 True RollingOut'],
  ],
  [
    'an instance that somebody edited is put right',
    observe(set({ replicas: 1 }), [web(1, { failover: 'none' })]),
    ['~ web@1.service', '1 1 1 1 1 True RollingOut'],
  ],
  [
    'where a replica is placed is left alone',
    observe(set({ replicas: 1 }), [web(1, { machineName: 'm7' })]),
    ['1 1 1 1 1 True Complete'],
  ],
  [
    'labels of the template are those of the instances',
    observe(set({ replicas: 1, template: { labels: { app: 'web' } } }), [web(1)]),
    ['~ web@1.service', '1 1 1 1 1 True RollingOut'],
  ],
  [
    'annotations of others stay',
    observe(set({ replicas: 1 }), [child('web@1.service', {}, {}, { annotations: { a: 'b' } })]),
    ['1 1 1 1 1 True Complete'],
  ],
  [
    'a unit of that name that is not ours is left alone, and said',
    observe(set({ replicas: 2 }), [web(2)], taken('web@1.service')),
    ['2 1 1 1 1 False NameTaken'],
  ],
  [
    'and holds up no roll',
    observe(set({ replicas: 2 }), [old(2)], taken('web@1.service')),
    ['~ web@2.service', '2 1 1 1 0 False NameTaken'],
  ],
  [
    'a name that is too long is said',
    observe(set({ replicas: 1 }, `${'x'.repeat(244)}@.service`)),
    ['1 0 0 0 0 False NameInvalid'],
  ],
  [
    'replicas and Global contradict each other: nothing runs',
    observe(everywhere({ replicas: 2 }), [], { machines: ['m1'] }),
    ['0 0 0 0 0 False Contradiction'],
  ],
  [
    'Global is on every machine',
    observe(everywhere(), [], { machines: ['m2', 'm1'] }),
    ['+ web.m1.service', '+ web.m2.service', '2 0 0 0 0 True RollingOut'],
  ],
  [
    'all of Global there: complete',
    observe(everywhere(), [onMachine('m1'), onMachine('m2')], { machines: ['m1', 'm2'] }),
    ['2 2 2 2 2 True Complete'],
  ],
  [
    'a machine that no longer matches loses its instance',
    observe(everywhere(), [onMachine('m1'), onMachine('m2')], { machines: ['m2'] }),
    ['- web.m1.service', '1 1 1 1 1 True Complete'],
  ],
  [
    'an instance that somebody moved goes back',
    observe(everywhere(), [onMachine('m1', { machineName: 'm2' })], { machines: ['m1'] }),
    ['~ web.m1.service', '1 1 1 1 1 True RollingOut'],
  ],
  [
    'new content rolls over machines too',
    observe(everywhere({ content: `${GLOBAL}#` }), [onMachine('m1'), onMachine('m2')], { machines: ['m1', 'm2'] }),
    ['~ web.m1.service', '2 2 2 2 0 True RollingOut'],
  ],
  [
    'replicas that become Global make room',
    observe(everywhere(), [child('web.1.service')], { machines: ['m1'] }),
    ['- web.1.service', '+ web.m1.service', '1 0 0 0 0 True RollingOut'],
  ],
  [
    'also where a machine is called like a number',
    observe(everywhere(), [child('web.1.service')], { machines: ['1'] }),
    ['- web.1.service', '1 1 1 1 0 True RollingOut'],
  ],
  [
    'what is no set any more has no instances',
    observe(set({}, 'web.service'), [child('web.1.service')]),
    ['- web.1.service'],
  ],
  ['nor counts', observe(set({}, 'web.service', { status: { desiredReplicas: 1 } })), ['no counts']],
]

for (const [title, observed, expect] of rows) test(title, () => assert.equal(planned(observed), expect))

test('an instance of a Global unit is called like its parent where it runs, and waits for its machine', () => {
  const [action] = plan(observe(everywhere(), [], { machines: ['m1'] }))
  if (action?.do !== 'create') throw new Error('nothing made')
  const { unitName, machineName, failover, content } = action.spec
  assert.equal([unitName, machineName, failover, content], ['web.service', 'm1', 'none', GLOBAL])
})

test('a set with a name that is legal elsewhere has the instances of its unitName', () => {
  const [action] = plan(observe(set({ replicas: 1, unitName: 'web@.service' }, 'shop.service')))
  if (action?.do !== 'create') throw new Error('nothing made')
  assert.equal([action.name, action.spec.unitName], ['shop.1.service', 'web@1.service'])
})

test('what fields a parent has for itself no instance gets', () => {
  const [action] = plan(
    observe(set({ replicas: 1, maxUnavailable: 1, machineName: 'm1', template: { labels: { a: 'b' } } })),
  )
  if (action?.do !== 'create') throw new Error('nothing made')
  assert.equal(Object.keys(action.spec).toSorted(), ['content', 'desiredState', 'failover'])
  assert.equal(action.labels, { a: 'b' })
})

test('an instance that is orphaned stays what it is', () => {
  const [action] = plan(observe(everywhere(), [], { machines: ['m1'] }))
  if (action?.do !== 'create') throw new Error('nothing made')
  const annotations = { ...action.annotations }
  assert.not(isParent(unit(action.name, { spec: action.spec, metadata: { annotations } })))
})

test('the reason names what failed and how far it came', () => {
  const action = plan(observe(set({ replicas: 2 }), [web(1, {}, failed), old(2)])).at(-1)
  assert.is(action?.reason, 'web@1.service: said by a test; 1 of 2 have the newest content')
})

test('what is said already is not said again', () => {
  const observed = observe(set({ replicas: 1 }), [web(1)])
  const [action] = plan(observed)
  if (action?.do !== 'report' || !action.report.condition) throw new Error('nothing said')
  const conditions = [{ ...action.report.condition, lastTransitionTime: '2031-01-01T00:00:00Z' }]
  const parent = { ...observed.parent, status: { ...action.report.counts, conditions, observedGeneration: 7 } }
  assert.equal(plan({ ...observed, parent }), [])
})

test('a status for 5 000 instances is as small as one for few', () => {
  const machines = Array.from({ length: 5_000 }, (_, n) => `m${n}`)
  const action = plan(observe(everywhere(), [], { machines })).at(-1)
  assert.ok(action?.do === 'report' && JSON.stringify(action.report).length < 400)
})

test('instances have the names that scripts know', () => {
  for (const [name, key, expect] of [
    ['web@.service', '3', 'web@3.service'],
    ['web.service', '3', 'web.3.service'],
    ['web.service', 'm1.example.com', 'web.m1.example.com.service'],
    ['a.b@.socket', '1', 'a.b@1.socket'],
  ] as const) {
    assert.is(instanceName(name, key), expect)
    assert.is(checkUnitName(expect), undefined)
  }
})

test('how many may be down', () => {
  for (const [asked, desired, expect] of [
    [undefined, 10, 1],
    [3, 10, 3],
    [0, 10, 0],
    ['25%', 10, 2],
    ['1%', 10, 1],
    ['0%', 10, 0],
    ['100%', 10, 10],
  ] as const)
    assert.is(maxUnavailableOf(asked, desired), expect, `${asked} of ${desired}`)
})

test.run()
