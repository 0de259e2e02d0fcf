import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createJudge } from '../../../../controllers/machine-lifecycle/judge.ts'

const test = suite('judge of leases')
const LEASE_MS = 8_000
const RENEW_MS = 2_000

/** Lets the named machines renew every 2 s from `fromMs` until `untilMs`. */
function renew(judge: ReturnType<typeof createJudge>, machines: readonly string[], fromMs: number, untilMs: number) {
  for (let atMs = fromMs; atMs <= untilMs; atMs += RENEW_MS)
    for (const [i, machine] of machines.entries()) judge.heard(machine, `${atMs}`, atMs + i * 300)
}

test('a machine that stops renewing is lost when its lease runs out, while others are heard', () => {
  const judge = createJudge(LEASE_MS)
  renew(judge, ['m1', 'm2'], 0, 0)
  for (let atMs = 2_000; atMs <= 8_000; atMs += RENEW_MS) judge.heard('m1', `${atMs}`, atMs)
  assert.equal(judge.verdict(8_299), { stale: new Set(), trusted: true })
  assert.equal(judge.verdict(8_300), { stale: new Set(['m2']), trusted: true })
})

test('the same version seen again is no sign of life', () => {
  const judge = createJudge(LEASE_MS)
  judge.heard('m1', '1', 0)
  judge.heard('m1', '1', 7_000)
  assert.equal([...judge.verdict(8_000).stale], ['m1'])
})

test('when nobody is heard nobody is moved', () => {
  const judge = createJudge(LEASE_MS)
  renew(judge, ['m1', 'm2', 'm3'], 0, 20_000)
  for (const nowMs of [26_000, 28_000, 28_600, 100_000]) assert.is(judge.verdict(nowMs).trusted, false)
})

test('after an outage of everything each machine gets a full lease', () => {
  const judge = createJudge(LEASE_MS)
  renew(judge, ['m1', 'm2', 'm3'], 0, 20_000)
  judge.heard('m2', 'back', 60_000)
  assert.equal(judge.verdict(60_000), { stale: new Set(), trusted: true })
  for (let atMs = 62_000; atMs <= 68_000; atMs += RENEW_MS) judge.heard('m2', `${atMs}`, atMs)
  assert.equal([...judge.verdict(67_999).stale], [])
  assert.equal(judge.verdict(68_000), { stale: new Set(['m1', 'm3']), trusted: true })
})

test('an outage shorter than a lease does not use up the lease either', () => {
  const judge = createJudge(LEASE_MS)
  renew(judge, ['m1', 'm2'], 0, 10_000)
  judge.heard('m2', 'back', 17_000)
  assert.equal([...judge.verdict(19_000).stale], [])
})

test('one late renewal of the only witness does not put off the judgement', () => {
  const judge = createJudge(LEASE_MS)
  renew(judge, ['m1', 'm2'], 0, 0)
  judge.heard('m1', 'late', 4_100)
  judge.heard('m1', 'on time', 6_000)
  judge.heard('m1', 'again', 8_000)
  assert.equal(judge.verdict(8_300), { stale: new Set(['m2']), trusted: true })
})

test('a machine that never renewed is given one lease from when it was seen', () => {
  const judge = createJudge(LEASE_MS)
  judge.heard('m1', '1', 0)
  judge.expect('m2', 1_000)
  for (let atMs = 2_000; atMs <= 8_000; atMs += RENEW_MS) judge.heard('m1', `${atMs}`, atMs)
  assert.equal([...judge.verdict(8_999).stale], [])
  assert.equal([...judge.verdict(9_000).stale], ['m2'])
})

test('a lease lasts as long as its machine says', () => {
  const judge = createJudge(LEASE_MS)
  judge.heard('long', '1', 0, 20_000)
  judge.heard('short', '1', 0, 2_000)
  judge.heard('m1', '1', 0)
  assert.equal([...judge.verdict(1_999).stale], [])
  assert.equal([...judge.verdict(2_000).stale], ['short'])
  assert.equal([...judge.verdict(19_999).stale].toSorted(), ['m1', 'short'])
  assert.ok(judge.verdict(20_000).stale.has('long'))
})

test('who renews seldom is a witness all the same', () => {
  const judge = createJudge(LEASE_MS)
  judge.heard('long', '1', 0, 20_000)
  assert.is(judge.verdict(10_000).trusted, true)
  assert.is(judge.verdict(11_001).trusted, false)
})

test('a forgotten machine is never stale', () => {
  const judge = createJudge(LEASE_MS)
  judge.heard('m1', '1', 0)
  judge.forget('m1')
  assert.is(judge.verdict(99_000).stale.size, 0)
})

test.run()
