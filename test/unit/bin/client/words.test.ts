import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readLine } from '../../../../bin/client/completion/words.ts'
import { parseDurationMs, parseSinceMs } from '../../../../bin/client/duration.ts'
import { type ResourceType, resolveTypes, typeOfObject } from '../../../../bin/client/resources.ts'
import { parseTargets } from '../../../../bin/client/targets.ts'
import { unitNameOf } from '../../../../bin/client/unit-name.ts'

const test = suite('what the words of a command mean')

const of = (kind: string, plural: string, more: Partial<ResourceType> = {}): ResourceType => ({
  ...{ group: 'flotilla.dev', version: 'v1', shortNames: [], categories: [], namespaced: false },
  ...{ kind, plural, singular: kind.toLowerCase(), ...more },
})
const UNIT = of('Unit', 'units', { shortNames: ['un'], categories: ['all'] })
const MACHINE = of('Machine', 'machines', { categories: ['all'] })
const EVENT = of('Event', 'events', { group: '' })
const TYPES = [EVENT, UNIT, MACHINE]

test('durations are read as Go and systemd write them', () => {
  assert.is(parseDurationMs('60s'), 60_000)
  assert.is(parseDurationMs('1h30m'), 5_400_000)
  assert.is(parseDurationMs('250ms'), 250)
  assert.is(parseDurationMs('0'), 0)
  for (const wrong of ['', 'soon', '5 minutes', '10x', '-5s'])
    assert.throws(() => parseDurationMs(wrong), /is no duration/)
})

test('--since takes a duration or a date', () => {
  assert.is(parseSinceMs('10m', 1_000_000), 400_000)
  assert.is(parseSinceMs('2026-01-01T00:00:00Z', 0), Date.parse('2026-01-01T00:00:00Z'))
  assert.throws(() => parseSinceMs('yesterday-ish', 0), /neither a duration .* nor a date/)
})

test('a unit may be named without its type, and with its kind', () => {
  assert.is(unitNameOf('web'), 'web.service')
  assert.is(unitNameOf('web@1'), 'web@1.service')
  assert.is(unitNameOf('my.app'), 'my.app.service')
  assert.is(unitNameOf('web.timer'), 'web.timer')
  assert.is(unitNameOf('Unit/web'), 'web.service')
  assert.throws(() => unitNameOf('machine/m1'), /is no unit/)
})

test('targets are kinds, kinds with names, or pairs', () => {
  assert.equal(parseTargets(TYPES, ['un']), [{ type: UNIT }])
  assert.equal(parseTargets(TYPES, ['unit', 'a', 'b']), [
    { type: UNIT, name: 'a' },
    { type: UNIT, name: 'b' },
  ])
  assert.equal(parseTargets(TYPES, ['Unit/a', 'machine/m']), [
    { type: UNIT, name: 'a' },
    { type: MACHINE, name: 'm' },
  ])
  assert.equal(parseTargets(TYPES, ['units,events']), [{ type: UNIT }, { type: EVENT }])
  assert.equal(parseTargets(TYPES, ['all']), [{ type: UNIT }, { type: MACHINE }])
  for (const wrong of [['unit/a', 'b'], ['unit', 'a/b'], ['unit/'], ['/a'], ['units,events', 'x'], ['']])
    assert.throws(() => parseTargets(TYPES, wrong), undefined, wrong.join(' '))
})

test('a kind that the server lacks is answered with those it has', () => {
  assert.throws(() => resolveTypes(TYPES, 'pods'), 'the server has no kind "pods"; it has events, machines, units')
  assert.throws(() => typeOfObject(TYPES, 'v1', 'Unit'), /"Unit" is in flotilla\.dev\/v1/)
})

test('a line that is being typed is read without its options', () => {
  const option = { short: '-l', description: '', takesValue: true, isPath: false }
  const commands = [
    {
      name: 'get',
      description: '',
      choices: [],
      options: [
        { ...option, long: '--selector' },
        { ...option, long: '--kubeconfig', short: undefined },
      ],
    },
  ]
  const line = readLine(['get', '-l', 'a=b', '--kubeconfig', 'k', '--watch', 'units', 'we'], commands)
  assert.equal(line, { command: 'get', before: ['units'], current: 'we', choice: { kubeconfig: 'k' } })
})

test.run()
