import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Unit } from '../../../../crds/unit.ts'
import { claimPatch, releasePatch } from '../../../../node-agent/units/claims.ts'
import type { ObservedUnit } from '../../../../node-agent/units/driver.ts'
import { happening, report, type Sight } from '../../../../node-agent/units/status.ts'
import { statusPatch } from '../../../../node-agent/units/status-writer.ts'

const test = suite('agent: what a unit status says')

const NOW = new Date('2026-01-02T03:04:05Z')
const wanted: Sight['unit'] = {
  uid: 'u1',
  name: 'web.service',
  unitName: 'web.service',
  hash: 'h1',
  files: 'h1',
  contentHash: 'h1',
  desired: 'launched',
  createdAt: '',
  generation: 3,
  holder: 'm1',
  deleting: false,
  kept: true,
  unsupported: undefined,
  missing: undefined,
  startable: true,
}
const observed: ObservedUnit = {
  name: 'web.service',
  loadState: 'loaded',
  activeState: 'active',
  subState: 'running',
  result: 'success',
  mainPID: 42,
  restarts: 0,
  activeEnterTimestampUs: 1,
  exitStatus: 0,
}
const base: Sight = {
  unit: wanted,
  observed,
  record: { uid: 'u1', name: 'web.service', unitName: 'web.service', hash: 'h1', epoch: 'e', started: true },
  installedHash: 'h1',
  refusal: undefined,
  takenBy: undefined,
}
const at = (change: Partial<ObservedUnit>): Sight => ({ ...base, observed: { ...observed, mainPID: 0, ...change } })

const GONE = { message: 'environment A comes from ConfigMap default/a, which does not exist', isPending: false }

const TABLE: readonly (readonly [title: string, sight: Sight, expected: string, currentState: string])[] = [
  ['running', base, 'True Running', 'launched'],
  ['a oneshot that stays active is done and active', at({ subState: 'exited' }), 'True Completed', 'launched'],
  ['a oneshot that ended well', at({ activeState: 'inactive', subState: 'dead' }), 'False Completed', 'launched'],
  ['starting', at({ activeState: 'activating', subState: 'start' }), 'False Starting', 'launched'],
  [
    'between restarts',
    at({ activeState: 'activating', subState: 'auto-restart', result: 'exit-code' }),
    'False Starting',
    'launched',
  ],
  [
    'failed',
    at({ activeState: 'failed', subState: 'failed', result: 'exit-code', exitStatus: 3 }),
    'False Failed',
    'launched',
  ],
  ['stopping', at({ activeState: 'deactivating', subState: 'stop-sigterm' }), 'False Stopped', 'launched'],
  ['a bad unit file', at({ activeState: 'inactive', loadState: 'bad-setting' }), 'False Refused', 'launched'],
  ['refused', { ...base, refusal: 'Unit is masked' }, 'False Refused', 'launched'],
  [
    'its job failed without a trace on it',
    at({ activeState: 'inactive', subState: 'dead', jobResult: 'unsupported' }),
    'False Failed',
    'launched',
  ],
  [
    'a mount that was too busy to be replaced',
    at({ subState: 'mounted', result: 'exit-code' }),
    'True Running',
    'launched',
  ],
  ['a name that is taken', { ...base, takenBy: 'old' }, 'False Refused', 'inactive'],
  [
    'not supported',
    { ...base, unit: { ...wanted, unsupported: 'no sockets' }, installedHash: undefined },
    'False NotSupported',
    'inactive',
  ],
  [
    'a ConfigMap is missing',
    {
      ...base,
      unit: { ...wanted, missing: GONE },
      observed: undefined,
      record: undefined,
      installedHash: undefined,
    },
    'False ConfigMissing',
    'inactive',
  ],
  ['a ConfigMap went while it runs', { ...base, unit: { ...wanted, missing: GONE } }, 'True Running', 'launched'],
  [
    'a ConfigMap is missing for what it should run now',
    { ...base, unit: { ...wanted, hash: 'h2', missing: GONE } },
    'False ConfigMissing',
    'launched',
  ],
  [
    'a ConfigMap that was not asked for yet',
    { ...at({ activeState: 'inactive' }), unit: { ...wanted, missing: { ...GONE, isPending: true } } },
    'False Completed',
    'launched',
  ],
  [
    'loaded',
    {
      ...at({ activeState: 'inactive', subState: 'dead' }),
      unit: { ...wanted, desired: 'loaded' },
      record: base.record && { ...base.record, started: false },
    },
    'False Stopped',
    'loaded',
  ],
  [
    'a timer that somebody stopped',
    { ...at({ activeState: 'inactive', subState: 'dead', result: '' }), unit: { ...wanted, unitName: 'web.timer' } },
    'False Stopped',
    'launched',
  ],
]

for (const [title, sight, expected, currentState] of TABLE)
  test(title, () => {
    const { active, currentState: current } = report(sight)
    assert.is(`${active.status} ${active.reason}`, expected)
    assert.is(current, currentState)
    assert.ok(active.message !== '')
  })

const unit: Unit = {
  apiVersion: 'flotilla.dev/v1',
  kind: 'Unit',
  metadata: { name: 'web.service', uid: 'u1', resourceVersion: '7', generation: 3 },
  spec: { desiredState: 'launched', content: '', failover: 'reschedule', machineName: 'm1' },
}

test('a claim proves that nobody holds the unit, whatever its status lacks', () => {
  const proof = (status: Unit['status']): unknown =>
    claimPatch(status ? { ...unit, status } : unit, 'm1', NOW).filter(({ op }) => op === 'test')
  const placed = { op: 'test', path: '/spec/machineName', value: 'm1' }
  const version = { op: 'test', path: '/metadata/resourceVersion', value: '7' }
  assert.equal(proof(undefined), [placed, version])
  assert.equal(proof({ currentState: 'inactive' }), [placed, version])
  assert.equal(proof({ machineName: '' }), [placed, { op: 'test', path: '/status/machineName', value: '' }])
})

test('a claim of an exclusive unit proves all that was seen, and makes that version its fencing token', () => {
  const single: Unit = { ...unit, spec: { ...unit.spec, failover: 'exclusive' } }
  for (const status of [undefined, { machineName: '' }, { machineName: 'm1', fencingToken: '5' }]) {
    const patch = claimPatch(status ? { ...single, status } : single, 'm1', NOW)
    assert.equal(patch[1], { op: 'test', path: '/metadata/resourceVersion', value: '7' })
    const [whole] = patch.filter(({ path }) => path === '/status')
    const token = whole ? (whole.value as { fencingToken: string }).fencingToken : patch.at(-1)?.value
    assert.is(token, '7')
  }
})

test('a unit that is not exclusive any more says so in a write that proves what was seen', () => {
  const freed: Unit = { ...unit, status: { machineName: 'm1', fencingToken: '5' } }
  const said = report({
    unit: wanted,
    observed,
    record: undefined,
    installedHash: 'h1',
    refusal: undefined,
    takenBy: undefined,
  })
  const [holder, seen, first] = statusPatch(freed, said, 'm1', NOW) ?? []
  assert.equal(holder, { op: 'test', path: '/status/machineName', value: 'm1' })
  assert.equal(seen, { op: 'test', path: '/metadata/resourceVersion', value: '7' })
  assert.equal(first, { op: 'remove', path: '/status/fencingToken' })
})

test('a claim says Scheduled in the same write', () => {
  const [, , status] = claimPatch(unit, 'm1', NOW)
  const { machineName, conditions } = (status ?? { value: {} }).value as NonNullable<Unit['status']>
  assert.is(machineName, 'm1')
  assert.equal(conditions, [
    {
      type: 'Scheduled',
      status: 'True',
      reason: 'Bound',
      message: 'placed on m1',
      lastTransitionTime: '2026-01-02T03:04:05Z',
      observedGeneration: 3,
    },
  ])
})

test('a release clears the holder last, and only its own', () => {
  const patch = releasePatch({ ...unit, status: { machineName: 'm1', hash: 'h', systemd: {} } }, 'm1', NOW)
  assert.equal(patch[0], { op: 'test', path: '/status/machineName', value: 'm1' })
  assert.equal(patch.at(-1), { op: 'remove', path: '/status/machineName' })
  assert.equal(
    patch.filter(({ op }) => op === 'remove').map(({ path }) => path),
    ['/status/systemd', '/status/hash', '/status/machineName'],
  )
})

test('a status that says it already is not written again', () => {
  const said = report(base)
  const status: NonNullable<Unit['status']> = {
    machineName: 'm1',
    currentState: 'launched',
    hash: 'h1',
    observedGeneration: 3,
    systemd: { ...said.systemd },
    conditions: [{ type: 'Active', ...said.active, lastTransitionTime: '2025-01-01T00:00:00Z', observedGeneration: 3 }],
  }
  assert.is(statusPatch({ ...unit, status }, said, 'm1', NOW), undefined)
  const restarted = report({ ...base, observed: { ...observed, mainPID: 43, restarts: 1 } })
  const paths = statusPatch({ ...unit, status }, restarted, 'm1', NOW)?.map(({ op, path }) => `${op} ${path}`)
  assert.equal(paths, ['test /status/machineName', 'add /status/systemd', 'add /status/conditions'])
})

test('a unit that another machine holds is not reported on', () => {
  assert.is(statusPatch({ ...unit, status: { machineName: 'm2' } }, report(base), 'm1', NOW), undefined)
})

test('events tell transitions, not states', () => {
  assert.is(happening('Running', 'Running'), undefined)
  assert.equal(happening('Starting', 'Running'), { type: 'Normal', reason: 'Started' })
  assert.equal(happening('Running', 'Stopped'), { type: 'Normal', reason: 'Stopped' })
  assert.is(happening(undefined, 'Stopped'), undefined)
  assert.equal(happening('Running', 'Failed'), { type: 'Warning', reason: 'UnitFailed' })
  assert.equal(happening(undefined, 'NotSupported'), { type: 'Warning', reason: 'NotSupported' })
})

test('what is refused while the unit runs says that it goes on', () => {
  const { active } = report({ ...base, refusal: 'Unit web.service has a bad unit file setting.' })
  assert.is(
    active.message,
    'Unit web.service has a bad unit file setting; until then it runs on as it was as process 42',
  )
})

test.run()
