import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type MachineOf,
  seenMachine,
  seenUnit,
  shownState,
  shownUnit,
} from '../../../../../api-server/legacy/fleet-v1/fleet-objects.ts'
import { hashOf } from '../../../../../api-server/legacy/fleet-v1/unit-options.ts'
import { entryMaker } from '../../../../../api-server/registry/entry.ts'
import { Machine, Unit } from '../../../../../crds/index.ts'
import type { Kind } from '../../../../../crds/kind.ts'
import { machine, unit } from '../../../../support/objects.ts'

const test = suite('our objects in the words of fleet')

const ID = '1'.repeat(32)
const entryOf = (kind: unknown, object: { metadata: { name: string } }) =>
  entryMaker(kind as Kind)(`-/${object.metadata.name}`, Buffer.from(JSON.stringify(object)), 1n)
const seen = (object: Unit) => seenUnit(entryOf(Unit, object))
const machines = (...all: Machine[]): MachineOf => {
  const known = new Map(all.map((each) => [each.metadata.name, seenMachine(entryOf(Machine, each))]))
  return (name) => known.get(name ?? '')
}
const m1 = machine('m1', { machineID: ID })
const lost = machine('m1', { machineID: ID, ready: 'Unknown' })
const systemd = { loadState: 'loaded', activeState: 'active', subState: 'running' }
const running = { machineName: 'm1', currentState: 'launched', systemd } as const
const owner = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: 'web.service', uid: 'u', controller: true }
const GLOBAL = '[Service]\nExecStart=/bin/true\n\n[X-Fleet]\nGlobal=true\n'

test('what is not placed has no machine and is inactive', () => {
  const { options, ...shown } = shownUnit(seen(unit('a.service')), machines(m1))
  assert.equal(shown, { currentState: 'inactive', desiredState: 'launched', name: 'a.service' })
  assert.equal(options, [{ name: 'ExecStart', section: 'Service', value: '/bin/true' }])
})

test('what runs says where, and what systemd says of it', () => {
  const web = seen(unit('a.service', { spec: { machineName: 'm1' }, status: running }))
  assert.is(shownUnit(web, machines(m1)).machineID, ID)
  assert.is(shownUnit(web, machines(m1)).currentState, 'launched')
  assert.equal(shownState(web, machines(m1)), {
    hash: hashOf('[Service]\nExecStart=/bin/true\n'),
    machineID: ID,
    name: 'a.service',
    systemdActiveState: 'active',
    systemdLoadState: 'loaded',
    systemdSubState: 'running',
  })
})

test('of a lost machine nothing is known any more', () => {
  const web = seen(unit('a.service', { spec: { machineName: 'm1' }, status: running }))
  assert.is(shownUnit(web, machines(lost)).currentState, 'inactive')
  assert.is(shownState(web, machines(lost)), undefined)
  assert.is(shownState(web, machines()), undefined)
})

test('while it is being stopped it is still somewhere', () => {
  const web = seen(unit('a.service', { spec: { desiredState: 'inactive' }, status: running }))
  assert.is(shownUnit(web, machines(m1)).machineID, ID)
})

test('a global unit has neither a state nor a machine', () => {
  const shown = shownUnit(seen(unit('web.service', { spec: { content: GLOBAL } })), machines(m1))
  assert.equal(Object.keys(shown), ['desiredState', 'name', 'options'])
  assert.ok(seen(unit('web.service', { spec: { placement: { global: true } } })).isGlobal)
})

test('its copies are states under its name, and no units', () => {
  const spec = { content: GLOBAL, unitName: 'web.service', machineName: 'm1' }
  const copy = seen(unit('web.m1.service', { spec, status: running, metadata: { ownerReferences: [owner] } }))
  assert.ok(copy.isCopy)
  assert.is(shownState(copy, machines(m1))?.name, 'web.service')
})

test('an instance of a template is a unit of its own', () => {
  assert.not.ok(seen(unit('web@1.service', { metadata: { ownerReferences: [owner] } })).isCopy)
})

test('the hash is that of the text in the form of fleet, or of the older text that the machine still has', () => {
  const content = '# mine\n[Service]\nExecStart = /bin/true'
  const state = (hash: string) =>
    shownState(seen(unit('a.service', { spec: { content }, status: { ...running, hash } })), machines(m1))
  assert.is(state(hashOf(content))?.hash, hashOf('[Service]\nExecStart=/bin/true\n'))
  assert.is(state('f'.repeat(40))?.hash, 'f'.repeat(40))
})

test('metadata of a machine are its labels without a domain, by name', () => {
  const labels = { zone: 'b', 'example.org/x': '1', disk: 'ssd' }
  const addresses = [
    { type: 'Hostname', address: 'm1' },
    { type: 'InternalIP', address: '192.0.2.1' },
  ] as const
  const full = { ...m1, metadata: { ...m1.metadata, labels }, status: { ...m1.status, addresses: [...addresses] } }
  const { shown } = seenMachine(entryOf(Machine, full))
  assert.is(JSON.stringify(shown), `{"id":"${ID}","metadata":{"disk":"ssd","zone":"b"},"primaryIP":"192.0.2.1"}`)
  assert.equal(seenMachine(entryOf(Machine, m1)).shown, { id: ID })
  assert.is(seenMachine(entryOf(Machine, machine('m2'))).shown, undefined)
})

test.run()
