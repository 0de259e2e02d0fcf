import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { twins, UNIQUE } from '../../../../controllers/machine-lifecycle/twins.ts'
import type { Machine } from '../../../../crds/machine.ts'
import { machine } from '../../../support/objects.ts'

const test = suite('machines with one machine ID')

/** `message`: what it says of a clash already. */
function named(name: string, machineID?: string, message?: string): Machine {
  const made = machine(name)
  const said = {
    ...{ type: UNIQUE, status: 'False' as const, reason: 'DuplicateMachineID', message: message ?? '' },
    lastTransitionTime: '2031-01-01T00:00:00Z',
  }
  const conditions = [...(made.status?.conditions ?? []), ...(message === undefined ? [] : [said])]
  return { ...made, status: { ...made.status, ...(machineID && { machineID }), conditions } }
}
const HOW = 'on the clone empty /etc/machine-id, run systemd-machine-id-setup and reboot'
const told = (...machines: Machine[]) =>
  twins(machines).map(({ machine: { metadata }, status, reason }) => [metadata.name, status, reason])

test('each has its own: nothing is said', () => {
  assert.equal(told(named('m1', 'a'), named('m2', 'b'), named('m3'), named('m4')), [])
})

test('two with one are both told of the other, and how to mend it', () => {
  assert.equal(told(named('m1', 'a'), named('m2', 'b'), named('m3', 'a')), [
    ['m1', 'False', `m3: the same machine ID; ${HOW}`],
    ['m3', 'False', `m1: the same machine ID; ${HOW}`],
  ])
})

test('what is said already is not said again, and taken back when it is over', () => {
  const clash = (other: string) => `${other}: the same machine ID; ${HOW}`
  assert.equal(told(named('m1', 'a', clash('m2')), named('m2', 'a', clash('m1'))), [])
  assert.equal(told(named('m1', 'a', clash('m2')), named('m2', 'b')), [['m1', 'True', 'no other has it']])
})

test('a hundred clones are counted, not listed', () => {
  const clones = Array.from({ length: 100 }, (_, index) => named(`m${String(index).padStart(2, '0')}`, 'a'))
  assert.is(told(...clones)[0]?.[2], `m01, m02, m03, m04, m05 and 94 more: the same machine ID; ${HOW}`)
})

test.run()
