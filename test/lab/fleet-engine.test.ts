// deadline: 120 s
/**
 * What fleet's engine did with units, and where it went wrong, on three real machines (spec: fleet §4, §10.1, §12). Longer than 250
 * lines, because all of it shares one cluster.
 */
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import { isActive, type LabFleet, startLabFleet } from '../support/lab-fleet.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

/** Of a change to a machine's metadata until systemd has followed, on both machines. fleet took 3 s. */
const FOLLOWS_WITHIN_MS = 2_000

const test = suiteOf("fleet's engine", { needs: ['lab'] })
let lab: LabFleet

test.before(async () => {
  lab = await startLabFleet(3)
  for (const machine of lab.machines) await lab.label(machine, `box=${machine}`)
})
test.after(async () => {
  await lab?.[Symbol.asyncDispose]()
})

const to = (machine: string) => `MachineMetadata=box=${machine}`
const numbered = (prefix: string, ...numbers: readonly number[]) => numbers.map((n) => `${prefix}@${n}.service`)
const all = <T>(names: readonly string[], wanted: T): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, wanted]))
const holderOf = async (name: string) => (await lab.product.admin.get(Unit, name)).spec.machineName

/** Rows of list-units, `MACHINE ACTIVE`, in the order of the machines. */
async function listed(name: string): Promise<string[]> {
  const nameOf = new Map(Object.entries(lab.ids).map(([machine, id]) => [id, machine]))
  return (await lab.fleet.listUnits())
    .filter((state) => state.name === name)
    .map(({ machineID, systemdActiveState }) => `${nameOf.get(machineID)} ${systemdActiveState}`)
    .toSorted()
}
const rows = (name: string, ...expected: readonly string[]) =>
  until(async () => (await listed(name)).join() === expected.join(), {
    what: `${name}: ${expected}`,
    timeoutMs: 10_000,
  })
const seen = async (name: string) =>
  (await lab.seen())
    .filter(({ unit }) => unit === name)
    .map(({ machine, active, sub }) => `${machine} ${active} ${sub}`)

// Least loaded (§4.3)

test('what is only loaded counts as load', async () => {
  await lab.apply(all(numbered('idle', 1, 2), { spec: { desiredState: 'loaded' as const } }))
  for (const name of numbered('idle', 1, 2)) await lab.unitWhen(name, ({ status }) => status?.currentState === 'loaded')
  const idle = await Promise.all(numbered('idle', 1, 2).map(holderOf))
  await lab.apply({ 'third.service': {} })
  const [third] = await lab.activeOn('third.service')
  assert.equal([...idle, third].toSorted(), ['m1', 'm2', 'm3'])
  await lab.clear()
})

test('fifty equal units run seventeen, seventeen and sixteen', async () => {
  const names = numbered('equal', ...Array.from({ length: 50 }, (_, i) => i + 1))
  await lab.apply(all(names, {}))
  const machines = await lab.activeOn(...names)
  const counts = lab.machines.map((machine) => machines.filter((each) => each === machine).length)
  assert.equal(counts.toSorted(), [16, 17, 17])
})

test('fifty are taken away, and no machine keeps anything of them', async () => {
  await lab.clear()
  const files = () => Promise.all(lab.machines.map((machine) => lab.on(machine, 'ls /var/lib/flotilla/agent/units')))
  await until(async () => (await files()).join('') === '', { what: 'no file anywhere' })
})

// Conflicts (§10.1)

test('of a conflict set of four on three machines three run, and the fourth is launched, on no machine', async () => {
  await lab.apply(all(numbered('lone', 1, 2, 3), { xFleet: 'Conflicts=lone@*.service' }))
  const machines = await lab.activeOn(...numbered('lone', 1, 2, 3))
  assert.equal(machines.toSorted(), ['m1', 'm2', 'm3'])
  await lab.apply({ 'lone@4.service': { xFleet: 'Conflicts=lone@*.service' } })
  assert.match(
    await lab.waits('lone@4.service'),
    /^0 of 3 machines can take it: m1: conflicts with lone@\d\.service; m2: /,
  )
  const file = (await lab.fleet.listUnitFiles()).find(({ name }) => name === 'lone@4.service')
  assert.equal([file?.desiredState, file?.currentState, file?.machineID], ['launched', 'inactive', undefined])
})

test('the fourth starts by itself where one is destroyed', async () => {
  const freed = await holderOf('lone@2.service')
  await lab.fleet.destroy('lone@2.service')
  assert.equal(await lab.activeOn('lone@4.service'), [freed])
})

// Followers (§10.1)

test('a follower waits without its leader, and comes with it', async () => {
  await lab.apply({ 'follower.service': { xFleet: 'MachineOf=leader.service' } })
  assert.match(await lab.waits('follower.service'), /m1: leader\.service is not placed; m2: /)
  await lab.apply({ 'leader.service': { xFleet: to('m3') } })
  assert.equal(await lab.activeOn('leader.service', 'follower.service'), ['m3', 'm3'])
})

test('stopping the leader keeps the follower running', async () => {
  const before = await lab.mainPid('follower.service', 'm3')
  await lab.fleet.stop('leader.service')
  assert.is(await lab.mainPid('leader.service', 'm3'), '0')
  assert.is(await lab.mainPid('follower.service', 'm3'), before)
  await lab.fleet.start('leader.service')
})

test('the follower goes where its leader goes', async () => {
  await lab.apply({ 'leader.service': { xFleet: to('m1') } })
  await lab.unitWhen('follower.service', (unit) => unit.spec.machineName === 'm1' && isActive(unit))
  assert.equal(await lab.activeOn('leader.service', 'follower.service'), ['m1', 'm1'])
})

test('unloading the leader takes the follower off its machine, and both come back', async () => {
  await lab.fleet.unload('leader.service')
  assert.match(await lab.waits('follower.service'), /leader\.service is not placed/)
  await until(async () => (await seen('follower.service')).length === 0, { what: 'the follower to stop' })
  await lab.fleet.start('leader.service')
  assert.equal(await lab.activeOn('follower.service'), ['m1'])
})

// Replaces (§4.4)

test('Replaces moves what is replaced, never what replaces it, however often one tries', async () => {
  const tries = [1, 2, 3, 4]
  await lab.apply(all(numbered('old', ...tries), { placement: { preferred: [prefer('m2')] } }))
  assert.equal(await lab.activeOn(...numbered('old', ...tries)), all4('m2'))
  await lab.apply(all(numbered('new', ...tries), { xFleet: ['Replaces=old@%i.service', to('m2')] }))
  assert.equal(await lab.activeOn(...numbered('new', ...tries)), all4('m2'))
  for (const name of numbered('old', ...tries))
    await lab.unitWhen(name, (unit) => unit.spec.machineName !== 'm2' && isActive(unit))
  const moved = await lab.activeOn(...numbered('old', ...tries))
  assert.ok(
    moved.every((machine) => machine === 'm1' || machine === 'm3'),
    moved.join(),
  )
})

const prefer = (machine: string) => ({ weight: 100, machineSelector: { matchLabels: { box: machine } } })
const all4 = (machine: string) => [machine, machine, machine, machine]

test('what is replaced and may run nowhere else waits, and comes back when its replacer is gone', async () => {
  await lab.apply({ 'home.service': { xFleet: to('m3') } })
  await lab.activeOn('home.service')
  await lab.apply({ 'guest.service': { xFleet: ['Replaces=home.service', to('m3')] } })
  assert.equal(await lab.activeOn('guest.service'), ['m3'])
  assert.match(await lab.waits('home.service'), /m1: has no metadata box=m3; m2: .*; m3: replaced by guest\.service/)
  await until(async () => (await seen('home.service')).length === 0, { what: 'home.service to stop' })
  await lab.fleet.destroy('guest.service')
  assert.equal(await lab.activeOn('home.service'), ['m3'])
})

test('units that replace each other share a machine in peace', async () => {
  await lab.apply({
    'one.service': { xFleet: ['Replaces=two.service', to('m1')] },
    'two.service': { xFleet: ['Replaces=one.service', to('m1')] },
  })
  assert.equal(await lab.activeOn('one.service', 'two.service'), ['m1', 'm1'])
})

test('placement.replaces is Replaces', async () => {
  await lab.apply({ 'was.service': { placement: { preferred: [prefer('m2')] } } })
  await lab.activeOn('was.service')
  await lab.apply({ 'is.service': { ...{ xFleet: to('m2') }, placement: { replaces: ['wa?.service'] } } })
  await lab.unitWhen('was.service', (unit) => unit.spec.machineName !== 'm2' && isActive(unit))
  assert.equal(await lab.activeOn('is.service'), ['m2'])
})

// Global (§4.5, §10.1)

test('a Global unit has one row a machine', async () => {
  await lab.clear()
  const options = [
    { section: 'Service', name: 'ExecStart', value: '/bin/sleep infinity' },
    { section: 'X-Fleet', name: 'Global', value: 'true' },
  ]
  await lab.ask('PUT', 'units/everywhere.service', { name: 'everywhere.service', desiredState: 'launched', options })
  await rows('everywhere.service', 'm1 active', 'm2 active', 'm3 active')
  assert.equal((await lab.running())['everywhere.service'], ['m1', 'm2', 'm3'])
})

test('list-unit-files has it once, with neither a state of its own nor a machine', async () => {
  const files = (await lab.fleet.listUnitFiles()).filter(({ name }) => name.startsWith('everywhere'))
  assert.equal(
    files.map(({ name, desiredState, currentState, machineID }) => [name, desiredState, currentState, machineID]),
    [['everywhere.service', 'launched', undefined, undefined]],
  )
})

const SHOW_EVERYWHERE = 'systemctl show -P LoadState,ActiveState,SubState everywhere.service | xargs'

test('stopped, it has three rows that are inactive and dead; unloaded, none', async () => {
  await lab.ask('PUT', 'units/everywhere.service', { name: 'everywhere.service', desiredState: 'loaded' })
  await rows('everywhere.service', 'm1 inactive', 'm2 inactive', 'm3 inactive')
  const states = await Promise.all(lab.machines.map((machine) => lab.on(machine, SHOW_EVERYWHERE)))
  assert.equal(states, ['loaded inactive dead', 'loaded inactive dead', 'loaded inactive dead'])
  await lab.ask('PUT', 'units/everywhere.service', { name: 'everywhere.service', desiredState: 'inactive' })
  await rows('everywhere.service')
  assert.equal(await seen('everywhere.service'), [])
})

test('launched again it is everywhere again, and destroyed it leaves nothing', async () => {
  await lab.ask('PUT', 'units/everywhere.service', { name: 'everywhere.service', desiredState: 'launched' })
  await rows('everywhere.service', 'm1 active', 'm2 active', 'm3 active')
  await lab.fleet.destroy('everywhere.service')
  await rows('everywhere.service')
  assert.equal(await seen('everywhere.service'), [])
})

test('a Global unit that is only loaded counts as load where it is', async () => {
  await lab.apply({ 'heavy.service': { xFleet: ['Global=true', to('m1')], spec: { desiredState: 'loaded' } } })
  await rows('heavy.service', 'm1 inactive')
  await lab.apply(all(numbered('light', 1, 2), {}))
  const machines = await lab.activeOn(...numbered('light', 1, 2))
  assert.equal(machines.toSorted(), ['m2', 'm3'])
  await lab.clear()
})

test('an ordinary unit that was there first stays, and a Global one that conflicts leaves its machine out', async () => {
  await lab.apply({ 'm-first.service': { xFleet: to('m2') } })
  await lab.activeOn('m-first.service')
  const wanted = { xFleet: ['Global=true', 'Conflicts=m-first.service'] }
  await lab.apply({ 'a-global.service': wanted, 'z-global.service': wanted })
  await rows('a-global.service', 'm1 active', 'm3 active')
  await rows('z-global.service', 'm1 active', 'm3 active')
  const running = await lab.running()
  assert.equal([running['m-first.service'], running['a-global.service']], [['m2'], ['m1', 'm3']])
})

test('once that unit is gone the Global ones fill the gap', async () => {
  await lab.fleet.destroy('m-first.service')
  await rows('a-global.service', 'm1 active', 'm2 active', 'm3 active')
  await rows('z-global.service', 'm1 active', 'm2 active', 'm3 active')
})

test('an ordinary unit that conflicts with a Global one that is everywhere waits and says so', async () => {
  await lab.apply({ 'm-late.service': {}, 'm-first.service': {} })
  await lab.activeOn('m-late.service')
  assert.match(await lab.waits('m-first.service'), /m1: conflicts with [az]-global\.service; m2: conflicts/)
  const file = (await lab.fleet.listUnitFiles()).find(({ name }) => name === 'm-first.service')
  assert.is(file?.machineID, undefined)
})

test('of two Global units that conflict the lesser name runs, on every machine', async () => {
  await lab.apply({
    'g-lesser.service': { xFleet: 'Global=true' },
    'g-major.service': { xFleet: ['Global=true', 'Conflicts=g-lesser.service'] },
  })
  await rows('g-lesser.service', 'm1 active', 'm2 active', 'm3 active')
  assert.is((await lab.running())['g-major.service'], undefined)
  await lab.clear()
})

// Metadata that change while units run (§6, §10)

const patch = (...operations: readonly (readonly [op: string, machine: string, key: string, value?: string])[]) =>
  lab.ask(
    'PATCH',
    'machines',
    operations.map(([op, machine, key, value]) => ({
      op,
      path: `/${lab.ids[machine]}/metadata/${key}`,
      ...(value !== undefined && { value: { value } }),
    })),
  )

async function followed(name: string, machine: string, change: () => Promise<unknown>): Promise<void> {
  const begun = performance.now()
  await change()
  await lab.unitWhen(name, (unit) => unit.spec.machineName === machine && isActive(unit), FOLLOWS_WITHIN_MS)
  const tookMs = performance.now() - begun
  assert.ok(tookMs <= FOLLOWS_WITHIN_MS, `${tookMs} ms`)
  assert.equal(await lab.activeOn(name), [machine])
}

test('a PATCH of the metadata moves the unit, and nothing else', async () => {
  await lab.apply({ 'ssd.service': { xFleet: 'MachineMetadata=disk=ssd' }, 'still.service': {} })
  await lab.waits('ssd.service')
  await patch(['add', 'm1', 'disk', 'ssd'])
  const [home = ''] = await lab.activeOn('still.service')
  const before = await lab.mainPid('still.service', home)
  assert.equal(await lab.activeOn('ssd.service'), ['m1'])
  await followed('ssd.service', 'm2', () => patch(['remove', 'm1', 'disk'], ['add', 'm2', 'disk', 'ssd']))
  assert.is(await lab.mainPid('still.service', home), before)
})

test('kubectl label moves it too, and why says what moved it', async () => {
  await lab.label('m3', 'disk=ssd')
  await followed('ssd.service', 'm3', () => lab.label('m2', 'disk-'))
  assert.match(await lab.why('ssd.service'), /moved from m2 to m3: has no metadata disk=ssd/)
})

test('what is slow to stop starts on its next machine only once it has stopped on the last', async () => {
  const service = ['TimeoutStopSec=1', 'ExecStart=/bin/sh -c "trap : TERM; while :; do sleep 0.2; done"']
  await lab.apply({ 'slow.service': { service, xFleet: to('m1') } })
  await lab.activeOn('slow.service')
  await lab.apply({ 'slow.service': { service, xFleet: to('m2') } })
  await lab.unitWhen('slow.service', (unit) => unit.spec.machineName === 'm2' && isActive(unit))
  assert.equal(await lab.activeOn('slow.service'), ['m2'])
  const ended = await lab.on('m1', 'journalctl -u slow.service -o short-unix --no-pager -q | tail -1')
  const begun = await lab.on('m2', 'journalctl -u slow.service -o short-unix --no-pager -q | head -1')
  assert.ok(Number.parseFloat(ended) <= Number.parseFloat(begun), `${ended}\n${begun}`)
})

test('where nothing fits any more it is stopped and waits, and comes back when something fits', async () => {
  await patch(['replace', 'm3', 'disk', 'hdd'])
  assert.match(await lab.waits('ssd.service'), /m3: has no metadata disk=ssd/)
  await until(async () => (await seen('ssd.service')).length === 0, { what: 'it to stop' })
  await followed('ssd.service', 'm3', () => patch(['replace', 'm3', 'disk', 'ssd']))
})

test('a Global unit comes and goes with the label, and its other copies notice nothing', async () => {
  await lab.apply({ 'g-ssd.service': { xFleet: ['Global=true', 'MachineMetadata=disk=ssd'] } })
  await rows('g-ssd.service', 'm3 active')
  const before = await lab.mainPid('g-ssd.service', 'm3')
  await patch(['add', 'm1', 'disk', 'ssd'], ['add', 'm2', 'disk', 'ssd'])
  await rows('g-ssd.service', 'm1 active', 'm2 active', 'm3 active')
  await lab.label('m1', 'disk-')
  await rows('g-ssd.service', 'm2 active', 'm3 active')
  assert.equal((await lab.running())['g-ssd.service'], ['m2', 'm3'])
  assert.is(await lab.mainPid('g-ssd.service', 'm3'), before)
})

test('the metadata of a machine are its labels without a domain, and the other way round', async () => {
  await lab.label('m2', 'team=blue', 'example.com/hidden=yes')
  const machine = (await lab.fleet.listMachines()).find(({ id }) => id === lab.ids.m2)
  assert.equal(machine?.metadata, { box: 'm2', disk: 'ssd', team: 'blue' })
  await patch(['remove', 'm2', 'team'])
  assert.is(await lab.kubectl('get', 'machine', 'm2', '-o=jsonpath={.metadata.labels.team}'), '')
})

test('list-machines has each machine with the ID and the address that it has itself', async () => {
  for (const { id, primaryIP } of await lab.fleet.listMachines()) {
    const machine = lab.machines.find((each) => lab.ids[each] === id) ?? ''
    const said = await lab.on(machine, 'cat /etc/machine-id; hostname -I')
    assert.ok(said.startsWith(id), machine)
    assert.ok(said.includes(primaryIP ?? 'none'), machine)
  }
})

test('list-units and systemd agree on every unit of every machine', async () => {
  assert.equal(await lab.disagreements(), [])
})

test.run()
