import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkPlacement } from '../../../crds/unit-placement.ts'
import { readXFleet } from '../../../crds/x-fleet.ts'

const test = suite('[X-Fleet]')
const section = (...lines: string[]) =>
  `[Service]\nMachineOf=no\n[X-Fleet]\n${lines.join('\n')}\n[Install]\nGlobal=true\n`
const read = (...lines: string[]) => readXFleet(section(...lines), 'web@7.service')

test('quotes part a value, repeated options have several, comments and other sections none', () => {
  assert.equal(read('MachineMetadata="region=east" "disk=ssd"').machineMetadata, ['region=east', 'disk=ssd'])
  assert.equal(read('MachineMetadata=region=a disk=b').machineMetadata, ['region=a disk=b'])
  assert.equal(read('MachineOf = a.service', '# MachineOf=b.service', 'MachineOf=c d.service').machineOf, [
    'a.service',
    'c d.service',
  ])
  assert.equal(read('Conflicts=a.service  b*', 'X-Conflicts=c?').conflicts, ['c?', 'a.service', 'b*'])
  assert.equal(read('Replaces=a.service b.service').replaces, ['a.service b.service'])
  assert.is(read('machineof=a.service').given.size, 0)
})

test('of the spellings of MachineID the newest that is there counts, and its first value', () => {
  assert.is(read('X-ConditionMachineBootID=old', 'X-ConditionMachineID=newer').machineId, 'newer')
  assert.is(read('X-ConditionMachineID=newer', 'MachineID=a', 'MachineID=b').machineId, 'a')
})

test('Global is decided by its last value', () => {
  for (const value of ['true', 'YES', '1', 'on', 't']) assert.ok(read('Global=false', `Global=${value}`).global, value)
  for (const value of ['false', '2', 'y', '']) assert.not(read('Global=true', `Global=${value}`).global, value)
})

test('specifiers are the name, its stem, prefix and instance', () => {
  assert.equal(read('MachineOf=%p-db@%i.service', 'Conflicts=%n %N.timer').machineOf, ['web-db@7.service'])
  assert.equal(read('Conflicts=%n %N.timer').conflicts, ['web@7.service', 'web@7.timer'])
})

const REFUSED: readonly (readonly [lines: readonly string[], message: string])[] = [
  [['MachineOf=a.service', 'Conflicts=a*'], 'unresolvable requirements: peer "a.service" matches conflict "a*"'],
  [['MachineOf=a.service', 'Replaces=a*'], 'unresolvable requirements: peer "a.service" matches replace "a*"'],
  [['MachineID=x', 'MachineOf=a.service'], 'MachineID cannot be used with Peers'],
  [['MachineID=x', 'Conflicts=b'], 'MachineID cannot be used with Conflicts'],
  [['MachineID=x', 'Global=false'], 'MachineID cannot be used with Global'],
  [['MachineID=x', 'Replaces=b'], 'MachineID cannot be used with Replaces'],
  [['Global=true', 'MachineOf=a.service'], 'Global cannot be used with Peers'],
  [['Global=true', 'Replaces=b'], 'Global cannot be used with Replaces'],
  [['Conflicts=a', 'Replaces=b'], 'Conflicts cannot be used with Replaces'],
]
for (const [lines, message] of REFUSED)
  test(`refused: ${message}`, () =>
    assert.equal(checkPlacement(section(...lines)), [{ path: ['spec', 'content'], message }]))

for (const lines of [
  ['MachineID=x', 'MachineMetadata=a=b'],
  ['Global=true', 'MachineMetadata=a=b'],
  ['Global=true', 'Conflicts=a'],
  ['MachineOf=a.service', 'Conflicts=b'],
  ['Replaces=a.service', 'MachineOf=b.service', 'MachineMetadata=a=b'],
])
  test(`allowed: ${lines.join(' + ')}`, () => assert.equal(checkPlacement(section(...lines)), []))

test('fields are held to the same, and to sound selectors', () => {
  const messages = (placement: Parameters<typeof checkPlacement>[1]) =>
    checkPlacement('', placement).map(({ path, message }) => `${path.join('.')}: ${message}`)
  assert.equal(messages({ machineID: 'x', conflicts: ['y'] }), [
    'spec.placement: MachineID cannot be used with Conflicts',
  ])
  assert.equal(messages({ machineMetadata: ['a=b', 'a b'] }), [
    'spec.placement.machineMetadata.1: must be one key=value',
  ])
  const machineSelector = { matchExpressions: [{ key: 'cpus', operator: 'Gt' as const, values: ['many'] }] }
  assert.match(
    messages({ machineSelector })[0] ?? '',
    /machineSelector\.matchExpressions\.0\.values: .*one whole number/,
  )
})

test.run()
