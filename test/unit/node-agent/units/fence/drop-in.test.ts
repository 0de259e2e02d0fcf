import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cannotBeFenced, fenceDropIn } from '../../../../../node-agent/units/fence/drop-in.ts'
import { fenceTimes } from '../../../../../node-agent/units/fence/fence.ts'
import { fenceFiles } from '../../../../../node-agent/units/fence/unit-files.ts'
import { parseUnit } from '../../../../../node-agent/units/unit-file.ts'

const test = suite('what an exclusive unit gets')
const TIMES = fenceTimes(8_000)
const PLAIN = '[Service]\nExecStart=/bin/sleep 1\n'

/** As systemd reads it, the drop-in included. */
function whole(content: string, name = 'web.service') {
  const dropIn = fenceDropIn({ name, content }, { uid: 'u1', token: '42' }, TIMES)
  return parseUnit({ content, dropIns: [dropIn] })
}

test('of a lease of 8 s all is over before 7.2 s; a share of any other', () => {
  for (const leaseMs of [2_000, 8_000, 300_000]) {
    const { stopAfterMs, graceMs, accuracyMs } = fenceTimes(leaseMs)
    assert.is(stopAfterMs + graceMs + accuracyMs, leaseMs * 0.8875)
  }
})

test('it runs only under a good lease and behind its own gate, and stops with them', () => {
  const unit = whole(PLAIN)
  const both = 'flotilla-lease.target flotilla-claim@u1.target'
  for (const key of ['Requisite', 'PartOf', 'After']) assert.equal(unit.all('Unit', key), [both])
  assert.equal(unit.all('Service', 'Environment'), ['FLOTILLA_FENCING_TOKEN=42'])
})

test('nothing that its file says lets it live on', () => {
  const unit = whole(`[Unit]\nRefuseManualStop=yes\n${PLAIN}KillMode=none\nSendSIGKILL=no\nFinalKillSignal=SIGQUIT
TimeoutStopSec=infinity\nTimeoutStopFailureMode=abort\nTimeoutAbortSec=1h\nExecStopPost=/bin/sleep 9\n`)
  const last = (key: string) => unit.last('Service', key)
  assert.equal(['KillMode', 'SendSIGKILL', 'FinalKillSignal', 'TimeoutStopSec', 'TimeoutAbortSec'].map(last), [
    'control-group',
    'yes',
    'SIGKILL',
    '1000ms',
    '1000ms',
  ])
  assert.is(last('TimeoutStopFailureMode'), 'kill')
  assert.equal([...unit.all('Service', 'ExecStop'), ...unit.all('Service', 'ExecStopPost')], [])
  assert.is(unit.last('Unit', 'RefuseManualStop'), 'no')
})

test('a service that has its main process alone asked to go keeps that', () => {
  assert.is(whole(`${PLAIN}KillMode=mixed\n`).last('Service', 'KillMode'), 'mixed')
})

const REFUSED: readonly (readonly [
  title: string,
  file: Parameters<typeof cannotBeFenced>[0],
  why: RegExp | undefined,
])[] = [
  ['a plain service', { name: 'a.service', content: PLAIN }, undefined],
  ['a timer', { name: 'a.timer', content: '[Timer]\nOnCalendar=daily\n' }, undefined],
  ['a mount, which may be busy', { name: 'a.mount', content: '[Mount]\nWhat=/dev/x\n' }, /not for a mount/],
  ['a swap', { name: 'a.swap', content: '' }, /not for a swap/],
  ['a slice', { name: 'a.slice', content: '' }, /not for a slice/],
  ['commands at the stop', { name: 'a.service', content: `${PLAIN}ExecStop=/bin/true\n` }, /ExecStop=/],
  ['commands that were reset', { name: 'a.service', content: `${PLAIN}ExecStop=/bin/true\nExecStop=\n` }, undefined],
  [
    'commands after the stop in a drop-in',
    {
      name: 'a.service',
      content: PLAIN,
      dropIns: [{ name: 'x.conf', content: '[Service]\nExecStopPost=/bin/true\n' }],
    },
    /ExecStopPost=/,
  ],
  [
    'a drop-in that would have the last word',
    { name: 'a.service', content: PLAIN, dropIns: [{ name: 'zzz.conf', content: '' }] },
    /rename zzz.conf/,
  ],
]

for (const [title, file, why] of REFUSED)
  test(`${why === undefined ? 'can' : 'cannot'} be exclusive: ${title}`, () => {
    const refusal = cannotBeFenced(file)
    if (why === undefined) assert.is(refusal, undefined)
    else assert.match(refusal ?? '', why)
  })

test('nothing of the fence is started at boot', () => {
  for (const { name, content } of fenceFiles(TIMES)) assert.not.match(content, /\[Install\]/, name)
})

test.run()
