import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { generatorsToMask, unitsToMask } from '../../../../node-agent/lab/masks.ts'

const test = suite('masks')

test('what a target pulls in and a machine needs is left alone', () => {
  const needed = [
    'dbus.service',
    'dbus-broker.service',
    'systemd-journald.socket',
    'systemd-tmpfiles-setup.service',
    'cryptsetup.target',
  ]
  const masked = unitsToMask(needed)
  assert.equal(
    needed.filter((unit) => masked.includes(unit)),
    [],
  )
})

test('what a distribution adds to its targets is masked, named once', () => {
  const masked = unitsToMask(['plymouth-read-write.service', 'systemd-udevd.service', 'getty.target', 'rpcbind.socket'])
  for (const unit of ['plymouth-read-write.service', 'rpcbind.socket', 'getty.target', 'systemd-udevd.service'])
    assert.is(masked.filter((other) => other === unit).length, 1, unit)
})

test('only generators that read what a machine has are run', () => {
  const present = ['systemd-fstab-generator', 'systemd-gpt-auto-generator', 'postgresql-generator']
  assert.equal(generatorsToMask(present), ['postgresql-generator', 'systemd-gpt-auto-generator'])
})

test.run()
