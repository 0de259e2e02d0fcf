import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MachineSources } from '../../../../api-server/auth/machine-sources.ts'

const test = suite('ConfigMaps and Secrets that a machine may read')
const machine = (name: string) => ({ user: `machine:${name}`, groups: ['flotilla:machines', 'system:authenticated'] })
const M1 = machine('m1')
const secret = (name: string, change: object = {}) => ({
  ...{ verb: 'get', group: '', resource: 'secrets', namespace: 'default', name },
  ...change,
})
const unit = (names: readonly string[], spec: object = {}, status: object = {}) => ({
  spec: { credentials: names.map((name) => ({ name, secretKeyRef: { name, key: 'k' } })), ...spec },
  status,
})

function sources(): MachineSources {
  const all = new MachineSources()
  all.put('-/placed.service', unit(['placed'], { machineName: 'm1' }))
  all.put('-/held.service', unit(['held'], { machineName: 'm2' }, { machineName: 'm1' }))
  all.put('-/other.service', unit(['other'], { machineName: 'm2' }, { machineName: 'm2' }))
  all.put('-/nowhere.service', unit(['nowhere']))
  const environment = [
    { name: 'A', configMapKeyRef: { name: 'config', key: 'a' } },
    { name: 'B', value: 'b' },
  ]
  all.put('-/env.service', unit([], { machineName: 'm1', environment }))
  return all
}

const ROWS: readonly [what: string, identity: typeof M1, asked: ReturnType<typeof secret>, allowed: boolean][] = [
  ['the Secret of a unit placed on it', M1, secret('placed'), true],
  ['the Secret of a unit it still holds', M1, secret('held'), true],
  ['a list narrowed to that name', M1, secret('placed', { verb: 'list' }), true],
  ['a watch narrowed to that name', M1, secret('placed', { verb: 'watch' }), true],
  ['a ConfigMap that its unit names', M1, secret('config', { resource: 'configmaps' }), true],
  ['the Secret of a unit elsewhere', M1, secret('other'), false],
  ['the Secret of a unit that is placed nowhere', M1, secret('nowhere'), false],
  ['a Secret that nobody names', M1, secret('nobody'), false],
  ['all Secrets', M1, secret('', { verb: 'list' }), false],
  ['a Secret of the same name in another namespace', M1, secret('placed', { namespace: 'kube-system' }), false],
  ['a Secret with the name of a ConfigMap', M1, secret('config'), false],
  ['a write to a Secret that it may read', M1, secret('placed', { verb: 'update' }), false],
  ['a Secret by the name of its machine alone', { user: 'machine:m1', groups: [] }, secret('placed'), false],
  ['the Secret of another machine', machine('m3'), secret('placed'), false],
]

for (const [what, identity, asked, allowed] of ROWS)
  test(`${identity.user} ${allowed ? 'may read' : 'may not have'} ${what}`, () => {
    assert.is(sources().allows(identity, asked), allowed)
  })

test('with the last unit that names it goes the right', () => {
  const all = sources()
  all.put('-/second.service', unit(['placed'], { machineName: 'm1' }))
  all.remove('-/placed.service')
  assert.ok(all.allows(M1, secret('placed')))
  all.put('-/second.service', unit(['placed'], { machineName: 'm2' }))
  assert.not(all.allows(M1, secret('placed')))
  all.put('-/second.service', unit([], { machineName: 'm1' }))
  assert.not(all.allows(machine('m2'), secret('placed')))
})

test.run()
