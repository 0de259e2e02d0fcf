import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Unit } from '../../../../../crds/unit.ts'
import { parseService } from '../../../../../node-agent/units/process/service-spec.ts'
import { specifierExpander } from '../../../../../node-agent/units/process/specifiers.ts'
import { contentHash, filesHash, restartHash } from '../../../../../node-agent/units/render/hashes.ts'
import { wrongValue } from '../../../../../node-agent/units/render/quote.ts'
import {
  type GeneratedDropIn,
  renderUnit,
  unsupportedFields,
} from '../../../../../node-agent/units/render/render-unit.ts'
import { missingSources, type Sources } from '../../../../../node-agent/units/render/sources.ts'
import { noSources } from '../../../../../node-agent/units/sources/none.ts'
import { seeded } from '../../../../support/random.ts'

const test = suite('agent: files of a unit')
const CONTENT = '[Service]\nExecStart=/bin/true\n'
const NONE = noSources('nobody asked')

function unit(spec: Partial<Unit['spec']> = {}, name = 'a.service'): Unit {
  const whole = { desiredState: 'launched', failover: 'none', content: CONTENT, ...spec } as const
  return { apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: { name }, spec: whole }
}

/** ConfigMaps by name and key; every Secret has the key `there`. */
function sources(configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>): Sources {
  return {
    configMapKey: (name, key) => {
      const data = configMaps[name]
      const value = data?.[key]
      if (value !== undefined) return { value }
      return { absent: data === undefined ? 'no-object' : 'no-key' }
    },
    secretKey: (name, key, credential) =>
      key === 'there' ? { blobPath: `/agent 1/100%/${name}-${credential}` } : { absent: 'no-key' },
  }
}

const fromMap = (name: string, key: string, optional = false) => ({
  name: 'A',
  configMapKeyRef: { name, key, optional },
})

test('a unit that is a file and nothing else has no drop-ins, and one hash for all questions', () => {
  assert.equal(renderUnit(unit(), NONE), { name: 'a.service', content: CONTENT })
  assert.is(filesHash(renderUnit(unit(), NONE)), contentHash(CONTENT))
  assert.is(restartHash(unit()), contentHash(CONTENT))
  assert.is(restartHash(unit({ dropIns: [], environment: [], credentials: [] })), contentHash(CONTENT))
})

test("generated drop-ins come after a person's own, in the section of the unit's type", () => {
  const dropIns = [{ name: 'zz-last.conf', content: '[Unit]\nDescription=own\n' }]
  const environment = [{ name: 'A', value: '1' }]
  const credentials = [{ name: 'login', secretKeyRef: { name: 's', key: 'there' } }]
  const extra = [{ name: 'zz-flotilla-fence.conf', content: '[Unit]\n' }]
  const file = renderUnit(unit({ dropIns, environment, credentials }, 'a.socket'), sources({}), extra)
  assert.equal(file.dropIns?.slice(1), [
    { name: 'zz-flotilla-environment.conf', content: '[Socket]\nEnvironment="A=1"\n' },
    {
      name: 'zz-flotilla-credentials.conf',
      content: '[Socket]\nLoadCredentialEncrypted=login:/agent\\x201/100%%/s-login\n',
    },
    ...extra,
  ])
})

test('every value that a process can be given is read back as it was written', () => {
  const random = seeded(11)
  const letters = ['%', '%n', '$A', '"', "'", '\\', '\\x41', '\\n', '\n', '\t', ' ', ';', '#', '=', 'é', '🚢', 'x', '0']
  const expand = specifierExpander('a.service', {
    ...{ hostname: 'h', machineId: 'm', bootId: 'b', runtimeDir: '/run', userName: 'root', uid: 0, home: '/root' },
  })
  for (let round = 0; round < 2_000; round++) {
    const value = Array.from({ length: random.below(10) }, () => random.pick(letters)).join('')
    const environment = [
      { name: 'ODD', value },
      { name: 'NEXT', value: 'next' },
    ]
    const read = parseService(renderUnit(unit({ environment }), NONE), expand).environment
    assert.equal(
      [...read],
      [
        ['ODD', value],
        ['NEXT', 'next'],
      ],
      JSON.stringify(value),
    )
  }
})

test('values that systemd would leave out are named', () => {
  for (const value of ['', 'a\tb\nc', 'é', '\u0080', 'x'.repeat(100_000)]) assert.is(wrongValue('A', value), undefined)
  for (const [value, why] of [
    ['\0', /0x00/],
    ['a\rb', /0x0d/],
    ['\x7f', /0x7f/],
    ['\ud800', /Unicode/],
    ['x'.repeat(131_072), /131075 bytes/],
  ] as const)
    assert.match(wrongValue('A', value) ?? '', why)
  const environment = [{ name: 'A', value: 'a\rb' }]
  assert.match(missingSources(unit({ environment }), NONE)?.message ?? '', /^the value of environment A holds/)
})

test('what a unit lacks is named with what to do; what is optional is left out', () => {
  const there = sources({ m: { k: 'v' } })
  const say = (name: string, key: string, optional = false) =>
    missingSources(unit({ environment: [fromMap(name, key, optional)] }), there)?.message
  assert.is(say('m', 'k'), undefined)
  assert.match(say('n', 'k') ?? '', 'ConfigMap default/n, which does not exist: kubectl -n default create configmap n')
  assert.match(say('m', 'l') ?? '', 'the key l of ConfigMap default/m')
  assert.is(say('m', 'l', true), undefined)
  assert.is(renderUnit(unit({ environment: [fromMap('m', 'l', true)] }), there).dropIns, undefined)
  const credentials = [{ name: 'c', secretKeyRef: { name: 's', key: 'gone' } }]
  assert.match(missingSources(unit({ credentials }), there)?.message ?? '', 'the key gone of Secret default/s')
})

test('what nobody could ask for yet is waited for, even where it is optional', () => {
  const pending = { ...sources({}), configMapKey: () => ({ absent: 'unknown' as const }) }
  assert.is(missingSources(unit({ environment: [fromMap('m', 'k', true)] }), pending)?.isPending, true)
  const told = missingSources(unit({ environment: [fromMap('m', 'k')] }), NONE)
  assert.equal([told?.isPending, told?.message.includes('nobody asked')], [false, true])
})

const SECRET = { name: 'c', secretKeyRef: { name: 's', key: 'k' } }
const FENCE: GeneratedDropIn = { name: 'zz-flotilla-fence.conf', content: '[Unit]\n' }
const RESTARTS: readonly (readonly [
  what: string,
  spec: Partial<Unit['spec']>,
  extra: GeneratedDropIn[],
  yes: boolean,
])[] = [
  ['new content', { content: '[Service]\nExecStart=/bin/false\n' }, [], true],
  ['a drop-in', { dropIns: [{ name: 'a.conf', content: '' }] }, [], true],
  ['a literal value', { environment: [{ name: 'A', value: '2' }] }, [], true],
  ['another key of a ConfigMap', { environment: [fromMap('m', 'k2')] }, [], true],
  ['another Secret', { credentials: [{ ...SECRET, secretKeyRef: { name: 't', key: 'k' } }] }, [], true],
  ['a generated drop-in that says so', {}, [{ ...FENCE, restarts: true }], true],
  ['a generated drop-in', {}, [FENCE], false],
  ['a reference that becomes optional', { environment: [fromMap('m', 'k', true)] }, [], false],
]

test('another hash, and so a restart, comes of what a person changed and of nothing else', () => {
  const base = { environment: [fromMap('m', 'k')], credentials: [SECRET] }
  const before = restartHash(unit(base))
  for (const [what, spec, extra, yes] of RESTARTS)
    assert.is(restartHash(unit({ ...base, ...spec }), extra) !== before, yes, what)
  const filesOf = (value: string) => filesHash(renderUnit(unit(base), sources({ m: { k: value } })))
  assert.is.not(filesOf('one'), filesOf('two'))
})

test("the order of an object's lists by name changes no hash", () => {
  const [a, b] = [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ]
  assert.is(restartHash(unit({ environment: [a, b] })), restartHash(unit({ environment: [b, a] })))
})

test('what such a unit or such a driver cannot have is named by its field', () => {
  const environment = [{ name: 'A', value: '1' }]
  const dropIns = [{ name: 'zz-flotilla-own.conf', content: '' }]
  assert.is(unsupportedFields(unit({ environment, credentials: [SECRET] }), 'system'), undefined)
  assert.match(unsupportedFields(unit({ environment }, 'a.timer'), 'system') ?? '', 'spec.environment is for units')
  assert.match(unsupportedFields(unit({ dropIns }), 'system') ?? '', 'zz-flotilla-own.conf')
  for (const driver of ['user', 'process', 'fake'] as const)
    assert.match(unsupportedFields(unit({ credentials: [SECRET] }), driver) ?? '', 'spec.credentials needs')
  for (const name of ['a\nExecStart=/bin/evil', 'a:b', '../a', '.a', '%n', ''])
    assert.match(
      unsupportedFields(unit({ credentials: [{ ...SECRET, name }] }), 'system') ?? '',
      'name of a credential',
    )
})

test.run()
