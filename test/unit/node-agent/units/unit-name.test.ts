import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  isConcreteUnitName,
  isUnitName,
  pathOfUnit,
  splitUnitName,
  unescapeName,
  unitOfPath,
} from '../../../../node-agent/units/unit-name.ts'

const test = suite('unit names')

test('names are what systemd takes, and can never leave a folder', () => {
  for (const name of ['a.service', 'a@b.service', 'a\\x2db.mount', 'a.b.c.timer', '-.slice'])
    assert.ok(isUnitName(name), name)
  const bad = [
    '',
    'a',
    '.service',
    '../a.service',
    'a/b.service',
    'a.unknown',
    'a b.service',
    '@x.service',
    '.a.service',
  ]
  for (const name of [...bad, `${'a'.repeat(250)}.service`]) assert.not(isUnitName(name), name)
})

test('a template is a name but nothing to start', () => {
  assert.ok(isUnitName('web@.service'))
  assert.not(isConcreteUnitName('web@.service'))
  assert.ok(isConcreteUnitName('web@1.service'))
})

test('names split at the first @ and the last dot', () => {
  assert.equal(splitUnitName('web@a@b.c.service'), {
    prefix: 'web',
    instance: 'a@b.c',
    type: 'service',
    isTemplate: false,
  })
  assert.is(splitUnitName('web@.service').isTemplate, true)
})

test('object paths turn into names and back', () => {
  for (const name of ['a.service', '1a.service', 'a-b@c\\x2dd.service', 'ab_c.timer'])
    assert.is(unitOfPath(pathOfUnit(name)), name)
  assert.is(pathOfUnit('dbus.service'), '/org/freedesktop/systemd1/unit/dbus_2eservice')
  assert.is(unitOfPath('/org/freedesktop/systemd1/job/1'), undefined)
})

test('unescaping gives back what systemd-escape took', () => {
  assert.is(unescapeName('var-lib-a\\x2db'), 'var/lib/a-b')
  assert.is(unescapeName('gr\\xc3\\xbcn'), 'grün')
})

test.run()
