import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ObservedUnit } from '../../../../node-agent/units/driver.ts'
import { plan, type UnitRecord, type Wanted, type World } from '../../../../node-agent/units/plan.ts'

const test = suite('agent: plan of a round')

const web: Wanted = {
  uid: 'u1',
  name: 'web.service',
  unitName: 'web.service',
  hash: 'h1',
  files: 'h1',
  contentHash: 'h1',
  desired: 'launched',
  createdAt: '2026-01-01T00:00:00Z',
  generation: 1,
  holder: 'm1',
  deleting: false,
  kept: true,
  unsupported: undefined,
  missing: undefined,
  startable: true,
}
const record: UnitRecord = {
  uid: 'u1',
  name: 'web.service',
  unitName: 'web.service',
  hash: 'h1',
  epoch: 'boot1',
  started: true,
}
const held = { uid: 'u1', name: 'web.service', unitName: 'web.service' }

function seen(activeState: string, name = 'web.service'): ObservedUnit {
  const rest = { loadState: 'loaded', subState: '', result: 'success', mainPID: 0, restarts: 0, exitStatus: 0 }
  return { name, activeState, activeEnterTimestampUs: 0, ...rest }
}

interface Case {
  readonly wanted?: readonly Wanted[]
  readonly held?: World['held']
  readonly records?: readonly UnitRecord[]
  readonly installed?: Readonly<Record<string, string>>
  readonly observed?: readonly ObservedUnit[]
  readonly online?: boolean
  readonly epoch?: string
  readonly waiting?: readonly string[]
}

function actions(world: Case): string[] {
  return plan({
    machineName: 'm1',
    epoch: world.epoch ?? 'boot1',
    online: world.online ?? true,
    wanted: world.wanted ?? [],
    held: world.held ?? [],
    records: new Map((world.records ?? []).map((entry) => [entry.uid, entry])),
    installed: new Map(
      Object.entries(world.installed ?? {}).map(([name, hash]) => [name, { files: hash, contentHash: hash }]),
    ),
    observed: new Map((world.observed ?? []).map((entry) => [entry.name, entry])),
    waiting: new Set(world.waiting),
    gates: new Map(),
    hasLease: true,
  }).map((action) => `${action.do} ${action.uid}: ${action.reason}`)
}

const running = { held: [held], records: [record], installed: { 'web.service': 'h1' }, observed: [seen('active')] }
const ended = { ...running, observed: [seen('inactive')] }

const TABLE: readonly (readonly [title: string, world: Case, expected: readonly string[]])[] = [
  ['nothing wanted, nothing there: nothing to do', {}, []],
  [
    'a unit placed here is claimed before anything else happens to it',
    { wanted: [{ ...web, holder: '', kept: false }] },
    ['claim u1: placed here and held by nobody'],
  ],
  ['a unit that another machine still holds is waited for', { wanted: [{ ...web, holder: 'm2', kept: false }] }, []],
  [
    'a held unit is kept on disk, installed and started, in this order',
    { wanted: [{ ...web, kept: false }] },
    ['keep u1: the copy on disk is missing or old', 'install u1: not installed', 'start u1: launched is desired'],
  ],
  ['a running unit is left alone', { wanted: [web], ...running }, []],
  ['a unit that ended is not started again', { wanted: [web], ...ended }, []],
  ['a unit that failed is left failed', { wanted: [web], ...running, observed: [seen('failed')] }, []],
  [
    'after a reboot what was launched is launched again',
    { wanted: [web], ...ended, epoch: 'boot2' },
    ['install u1: first time in this boot', 'start u1: launched is desired'],
  ],
  [
    'new content is installed and restarted',
    { wanted: [{ ...web, hash: 'h2', files: 'h2' }], ...running },
    ['install u1: content changed', 'restart u1: content changed'],
  ],
  [
    'a new value of a ConfigMap is installed, and nothing is restarted',
    { wanted: [{ ...web, files: 'f2' }], ...running },
    ['install u1: content changed'],
  ],
  [
    'files that differ from what nobody remembers installing restart the unit',
    { wanted: [{ ...web, files: 'f2' }], installed: { 'web.service': 'h1' }, observed: [seen('active')] },
    ['install u1: content changed', 'restart u1: content changed'],
  ],
  [
    'a unit that lacks something it names is kept on disk and neither installed nor started',
    { wanted: [{ ...web, kept: false, files: undefined, missing: { message: 'no ConfigMap', isPending: false } }] },
    ['keep u1: the copy on disk is missing or old'],
  ],
  [
    'what runs goes on when what it names is gone, also with another spec',
    { wanted: [{ ...web, hash: 'h2', files: undefined, missing: { message: 'gone', isPending: false } }], ...running },
    [],
  ],
  [
    'what lacks something is stopped all the same when only loaded is desired',
    {
      wanted: [{ ...web, desired: 'loaded', files: undefined, missing: { message: 'gone', isPending: false } }],
      ...running,
    },
    ['stop u1: only loaded is desired'],
  ],
  [
    'an agent that died between install and restart restarts',
    { wanted: [{ ...web, hash: 'h2', files: 'h2' }], ...running, installed: { 'web.service': 'h2' } },
    ['restart u1: content changed'],
  ],
  [
    'an agent that died after the install, before its record, starts the unit',
    { wanted: [web], installed: { 'web.service': 'h1' } },
    ['install u1: installed before, not on record', 'start u1: launched is desired'],
  ],
  [
    'a file that somebody deleted is installed and its unit started again',
    { wanted: [web], ...ended, installed: {} },
    ['install u1: not installed', 'start u1: launched is desired'],
  ],
  ['loaded is installed and not started', { wanted: [{ ...web, desired: 'loaded' }] }, ['install u1: not installed']],
  [
    'loaded stops what runs',
    { wanted: [{ ...web, desired: 'loaded' }], ...running },
    ['stop u1: only loaded is desired'],
  ],
  [
    'loaded waits for what is stopping',
    { wanted: [{ ...web, desired: 'loaded' }], ...running, observed: [seen('deactivating')] },
    [],
  ],
  [
    'launched again after loaded starts anew',
    { wanted: [web], ...ended, records: [{ ...record, started: false }] },
    ['start u1: launched is desired'],
  ],
  [
    'launched again while it still stops waits for the end of it',
    { wanted: [web], ...running, records: [{ ...record, started: false }], observed: [seen('deactivating')] },
    [],
  ],
  ['inactive first stops', { wanted: [{ ...web, desired: 'inactive' }], ...running }, ['stop u1: inactive is desired']],
  ['then waits', { wanted: [{ ...web, desired: 'inactive' }], ...running, observed: [seen('deactivating')] }, []],
  ['then removes', { wanted: [{ ...web, desired: 'inactive' }], ...ended }, ['remove u1: inactive is desired']],
  [
    'then gives the unit back',
    { wanted: [{ ...web, desired: 'inactive' }], held: [held] },
    ['release u1: nothing of it is left here'],
  ],
  ['and then is done', { wanted: [{ ...web, desired: 'inactive', holder: '' }] }, []],
  ['a unit that is gone from the API is stopped', running, ['stop u1: deleted or placed elsewhere']],
  ['removed', ended, ['remove u1: deleted or placed elsewhere']],
  ['and given back', { held: [held] }, ['release u1: nothing of it is left here']],
  [
    'a claim whose agent died before it kept a copy is given back too',
    { wanted: [{ ...web, desired: 'inactive', kept: false }] },
    ['release u1: nothing of it is left here'],
  ],
  ['a unit being deleted is stopped', { wanted: [{ ...web, deleting: true }], ...running }, ['stop u1: being deleted']],
  [
    'a unit that another machine took is stopped',
    { wanted: [{ ...web, holder: 'm2' }], ...running },
    ['stop u1: held by m2'],
  ],
  [
    'a running unit that lost its holder is claimed, not stopped',
    { wanted: [{ ...web, holder: '' }], ...running },
    ['claim u1: placed here and held by nobody'],
  ],
  [
    'installed files that no object stands for are removed',
    { installed: { 'old.service': 'h9' }, observed: [seen('failed', 'old.service')] },
    ['remove stray:old.service: no object'],
  ],
  [
    'content that the driver cannot run is kept, not installed',
    { wanted: [{ ...web, unsupported: 'no sockets' }] },
    [],
  ],
  [
    'of two Units with one name the older runs',
    { wanted: [{ ...web, uid: 'u2', name: 'b', createdAt: '2026-02-01T00:00:00Z' }, web] },
    ['install u1: not installed', 'start u1: launched is desired'],
  ],
  [
    'a younger unit that was first gives its name up to the older',
    { wanted: [web, { ...web, uid: 'u0', name: 'a', createdAt: '2025-01-01T00:00:00Z' }], ...running },
    ['stop u1: an older Unit has this name'],
  ],
  [
    'a unit made again under its name waits for the end of the former one',
    { wanted: [{ ...web, uid: 'u2' }], ...running },
    ['stop u1: deleted or placed elsewhere'],
  ],
  ['offline nothing is claimed', { wanted: [{ ...web, holder: '' }], online: false }, []],
  ['offline nothing is stopped, removed or given back', { ...running, online: false }, []],
  [
    'offline what is on disk is started after a reboot',
    { wanted: [web], online: false, held: [held], epoch: 'boot2' },
    ['install u1: not installed', 'start u1: launched is desired'],
  ],
  [
    'offline an exclusive unit is installed and not started',
    { wanted: [{ ...web, startable: false }], online: false },
    ['install u1: not installed'],
  ],
  [
    'what is installed and on no record is not given back: it may still run',
    { held: [held], installed: { 'web.service': 'h1' }, observed: [seen('active')] },
    ['stop stray:web.service: no object'],
  ],
  ['a unit that waits for its next try is left out', { wanted: [web], waiting: ['u1'] }, []],
]

for (const [title, world, expected] of TABLE) test(title, () => assert.equal(actions(world), expected))

test('the same world gives the same plan in whatever order it is told', () => {
  const other = { ...web, uid: 'u2', name: 'api.service', unitName: 'api.service' }
  assert.equal(actions({ wanted: [web, other] }), actions({ wanted: [other, web] }))
})

test.run()
