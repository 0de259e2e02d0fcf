import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ObservedUnit } from '../../../../../node-agent/units/driver.ts'
import type { Gate } from '../../../../../node-agent/units/fence/exclusive.ts'
import { beforeGate, isClaimable } from '../../../../../node-agent/units/fence/gate-plan.ts'

const test = suite('before an exclusive unit is started')

const FREE = { claimable: true, confirmed: true }
const UNIT = { uid: 'u', unitName: 'a.service', desired: 'launched', startable: true, unsupported: undefined }
const ONLINE = { online: true, hasLease: true }

interface Row {
  readonly title: string
  readonly gate?: Gate
  readonly state?: string
  readonly unit?: Partial<Parameters<typeof beforeGate>[0]>
  readonly hasLease?: boolean
  readonly expect: 'stop' | 'claim' | 'wait' | 'nothing'
}

const ROWS: readonly Row[] = [
  { title: 'behind a closed gate it is claimed again', gate: 'closed', expect: 'claim' },
  { title: 'a gate that nobody knows of is closed', expect: 'claim' },
  { title: 'it waits while the lease has run out', gate: 'closed', hasLease: false, expect: 'wait' },
  {
    title: 'it waits while its object could vanish',
    unit: { exclusive: { ...FREE, claimable: false } },
    expect: 'wait',
  },
  { title: 'what the fence is stopping is left to it', gate: 'closed', state: 'deactivating', expect: 'wait' },
  { title: 'a claimed one may be started', gate: 'claimed', expect: 'nothing' },
  { title: 'one that runs behind its open gate is left alone', gate: 'open', state: 'active', expect: 'nothing' },
  {
    title: 'one that becomes exclusive while it runs is stopped first',
    gate: 'closed',
    state: 'active',
    unit: { exclusive: { ...FREE, confirmed: false } },
    expect: 'stop',
  },
  {
    title: 'an open gate counts for nothing once its object does not know of it',
    gate: 'open',
    state: 'active',
    unit: { exclusive: { ...FREE, confirmed: false } },
    expect: 'stop',
  },
  {
    title: 'offline it is left as it is',
    gate: 'closed',
    state: 'active',
    unit: { startable: false },
    expect: 'nothing',
  },
  { title: 'what is only loaded is not started', gate: 'closed', unit: { desired: 'loaded' }, expect: 'nothing' },
]

function seen(activeState: string): ObservedUnit {
  const rest = { loadState: 'loaded', subState: '', result: 'success', mainPID: 0, restarts: 0, exitStatus: 0 }
  return { name: 'a.service', activeState, activeEnterTimestampUs: 0, ...rest }
}

for (const { title, gate, state = 'inactive', unit = {}, hasLease = true, expect } of ROWS)
  test(title, () => {
    const world = {
      ...{ online: true, hasLease },
      gates: new Map<string, Gate>(gate === undefined ? [] : [['u', gate]]),
      observed: new Map([['a.service', seen(state)]]),
    }
    const step = beforeGate({ ...UNIT, exclusive: FREE, ...unit }, world) ?? 'nothing'
    assert.is(typeof step === 'string' ? step : step.do, expect)
  })

test('it is claimed under a good lease only; any other unit is not asked', () => {
  assert.is(isClaimable({ exclusive: FREE, unsupported: undefined }, ONLINE), true)
  assert.is(isClaimable({ exclusive: FREE, unsupported: undefined }, { ...ONLINE, hasLease: false }), false)
  assert.is(isClaimable({ unsupported: undefined }, { ...ONLINE, hasLease: false }), true)
  assert.is(isClaimable({ unsupported: undefined }, { online: false, hasLease: true }), false)
})

test('what cannot run here is held all the same, to say why', () => {
  assert.is(isClaimable({ exclusive: FREE, unsupported: 'no' }, { ...ONLINE, hasLease: false }), true)
})

test.run()
