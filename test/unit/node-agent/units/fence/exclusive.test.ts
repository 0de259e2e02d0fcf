import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createExclusive, isExclusive } from '../../../../../node-agent/units/fence/exclusive.ts'
import type { Fence } from '../../../../../node-agent/units/fence/fence.ts'
import { drive } from '../../../../../node-agent/units/fence/gated.ts'
import { unit } from '../../../../support/objects.ts'

const test = suite('terms and gates of exclusive units')
const LEASE_MS = 8_000
const STOP_AFTER_US = 6_000_000

/** A fence that a test lets fall; it keeps the contract of fence.ts. */
function world() {
  const gates = new Set<string>()
  const log: string[] = []
  const state = { nowUs: 0, untilUs: 0, fails: false }
  const fence: Fence = {
    prepare: async () => void log.push('prepare'),
    extend: async (untilUs) => {
      if (state.fails) throw new Error('no answer')
      state.untilUs = untilUs
      log.push(`until ${untilUs / 1e6}`)
    },
    open: async (uid) => {
      if (state.nowUs >= state.untilUs) return 'fallen'
      gates.add(uid)
      return undefined
    },
    close: async (uid) => void gates.delete(uid),
    openGates: async () => gates,
  }
  const exclusive = createExclusive({
    driver: { kind: 'system', fence: () => fence },
    leaseDurationMs: LEASE_MS,
    nowUs: () => state.nowUs,
    log: pino({ level: 'silent' }),
  })
  const gate = async () => (await exclusive.look(['u'])).get('u')
  const fall = () => gates.clear()
  return { exclusive, state, log, gate, fall }
}

test('without exclusive units the manager is never asked', async () => {
  const { exclusive, log } = world()
  await exclusive.renewed(0)
  await exclusive.look([])
  await exclusive.close('u')
  assert.equal(log, [])
})

test('a renewal counts from when it was sent, however late it was answered', async () => {
  const { exclusive, state, log, gate } = world()
  await gate()
  state.nowUs = 900_000
  await exclusive.renewed(100_000)
  assert.equal(log, ['prepare', 'until 6.1'])
  assert.is(exclusive.term(), 1)
  state.nowUs = 100_000 + STOP_AFTER_US
  assert.is(exclusive.term(), undefined)
})

test('an answer that comes when its time is over buys nothing', async () => {
  const { exclusive, state, log, gate } = world()
  await gate()
  state.nowUs = 30_000_000
  await exclusive.renewed(20_000_000)
  assert.equal(log, ['prepare'])
})

test('a unit that comes between two renewals need not wait for the next', async () => {
  const { exclusive, state, gate } = world()
  await exclusive.renewed(0)
  state.nowUs = 1_000_000
  await gate()
  await exclusive.renewed(0)
  assert.is(exclusive.term(), 1)
})

test('a gate is opened by a claim of this term, once', async () => {
  const { exclusive, gate, fall } = world()
  await gate()
  await exclusive.renewed(1)
  assert.is(await exclusive.open('u'), 'not claimed under this lease')
  exclusive.claimed('u', 1)
  assert.is(await gate(), 'claimed')
  assert.is(await exclusive.open('u'), undefined)
  assert.is(await gate(), 'open')
  fall()
  assert.is(await gate(), 'closed')
  assert.is(await exclusive.open('u'), 'not claimed under this lease')
})

test('a claim of an earlier term opens nothing', async () => {
  const { exclusive, state, gate } = world()
  await gate()
  await exclusive.renewed(1)
  exclusive.claimed('u', 1)
  state.nowUs = 10_000_000
  assert.is(await gate(), 'closed')
  await exclusive.renewed(10_000_000)
  assert.is(exclusive.term(), 2)
  assert.is(await gate(), 'closed')
  assert.is(await exclusive.open('u'), 'not claimed under this lease')
})

test('a claim whose answer comes in the next term opens nothing either', async () => {
  const { exclusive, state, gate } = world()
  await gate()
  await exclusive.renewed(1)
  state.nowUs = 10_000_000
  await exclusive.renewed(10_000_000)
  exclusive.claimed('u', 1)
  assert.is(await gate(), 'closed')
})

test('a term goes on as long as each renewal comes in time', async () => {
  const { exclusive, state, gate } = world()
  await gate()
  for (let atUs = 0; atUs <= 60_000_000; atUs += 5_000_000) {
    state.nowUs = atUs
    await exclusive.renewed(atUs)
  }
  assert.is(exclusive.term(), 1)
})

test('a manager that does not answer ends the term when the time is over', async () => {
  const { exclusive, state, gate } = world()
  await gate()
  await exclusive.renewed(0)
  state.fails = true
  state.nowUs = 5_000_000
  await exclusive.renewed(5_000_000)
  assert.is(exclusive.term(), 1)
  state.nowUs = STOP_AFTER_US
  assert.is(exclusive.term(), undefined)
})

test('a driver without a fence refuses in one sentence', () => {
  const options = { leaseDurationMs: LEASE_MS, nowUs: () => 0, log: pino({ level: 'silent' }) }
  const refusal = (kind: 'user' | 'process') =>
    createExclusive({ driver: { kind }, ...options }).refusal(unit('a.service'))
  assert.match(refusal('user') ?? '', "here is the user's systemd")
  assert.match(refusal('process') ?? '', 'here is no systemd')
})

test('a unit stays fenced until its object says that it is not exclusive any more', () => {
  assert.is(isExclusive(unit('a.service')), false)
  assert.is(isExclusive(unit('a.service', { spec: { failover: 'exclusive' } })), true)
  assert.is(isExclusive(unit('a.service', { status: { fencingToken: '5' } })), true)
})

test('gates open before starts and close before stops, each unit for itself', async () => {
  const log: string[] = []
  const verb = (name: string) => async (names: readonly string[]) => {
    log.push(`${name} ${names.join()}`)
    return names.map((each) => ({ name: each }))
  }
  const gated = {
    driver: { start: verb('start'), stop: verb('stop'), restart: verb('restart'), remove: verb('remove') },
    exclusive: {
      open: async (uid: string) => {
        log.push(`open ${uid}`)
        return uid === 'bad' ? 'no lease' : undefined
      },
      close: async (uid: string) => void log.push(`close ${uid}`),
    },
    isExclusive: (uid: string) => uid !== 'plain',
  }
  const targets = ['good', 'bad', 'plain'].map((uid) => ({ uid, unitName: `${uid}.service` }))
  const outcomes = await drive('start', targets, gated)
  assert.equal(
    outcomes.filter(({ refused }) => refused !== undefined),
    [{ name: 'bad.service', refused: 'no lease' }],
  )
  await drive('stop', targets.slice(0, 1), gated)
  assert.equal(log, ['open good', 'open bad', 'start good.service,plain.service', 'close good', 'stop good.service'])
})

test.run()
