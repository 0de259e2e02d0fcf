// deadline: 90 s
/**
 * What fleet's users know of units, on three real machines: texts, names, templates, states and hashes (spec: fleet §2,
 * §3). Longer than 250
 * lines, because all of it shares one cluster.
 */
import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import type { FleetUnit, Option } from '../support/fleetctl-moves.ts'
import { becauseOf, contentOf, isActive, type LabFleet, startLabFleet } from '../support/lab-fleet.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const test = suiteOf('units as fleet had them', { needs: ['lab'] })
let lab: LabFleet

test.before(async () => {
  lab = await startLabFleet(3)
})
test.after(async () => {
  await lab?.[Symbol.asyncDispose]()
})

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')
const service = (...lines: readonly string[]): Option[] =>
  lines.map((line) => ({
    section: 'Service',
    name: line.split('=')[0] ?? '',
    value: line.slice(line.indexOf('=') + 1),
  }))
const SLEEP = service('ExecStart=/bin/sleep infinity', 'TimeoutStopSec=2')
const SLEEP_TEXT = '[Service]\nExecStart=/bin/sleep infinity\nTimeoutStopSec=2\n'

const fileOf = async (name: string): Promise<FleetUnit | undefined> =>
  (await lab.fleet.listUnitFiles()).find((unit) => unit.name === name)
const statesOf = async (name: string) => (await lab.fleet.listUnits()).filter((state) => state.name === name)
const hashOf = async (name: string) => (await statesOf(name))[0]?.hash
const nameOf = (id: string | undefined) => lab.machines.find((machine) => lab.ids[machine] === id)
const at = (name: string) => `units/${encodeURIComponent(name)}`
const seen = async (unit: string) =>
  (await lab.seen())
    .filter((each) => each.unit === unit)
    .map(({ machine, load, active, sub }) => `${machine} ${load} ${active} ${sub}`)
const refusal = ({ body }: { readonly body: unknown }) => (body as { error: { message: string } }).error.message

// Texts and hashes (§2)

const UNTIDY = `# a comment
; another
[Unit]
  Description =  a name \\
  in two lines
[Service]
ExecStart=/bin/sleep infinity
[Unit]
Documentation=man:sleep(1)
[Service]
TimeoutStopSec=2`

test('a text with comments, blanks and repeated sections runs as it is; cat and hash are of its tidy form', async () => {
  await lab.apply({ 'untidy.service': { spec: { content: UNTIDY } }, 'twin.service': { spec: { content: UNTIDY } } })
  const [machine = ''] = await lab.activeOn('untidy.service', 'twin.service')
  assert.equal(
    (await lab.fleet.cat('untidy.service')).map(({ section, name, value }) => `${section}.${name}=${value}`),
    [
      'Unit.Description=a name \\\n  in two lines',
      'Service.ExecStart=/bin/sleep infinity',
      'Unit.Documentation=man:sleep(1)',
      'Service.TimeoutStopSec=2',
    ],
  )
  const tidy =
    '[Unit]\nDescription=a name \\\n  in two lines\nDocumentation=man:sleep(1)\n\n[Service]\nExecStart=/bin/sleep infinity\nTimeoutStopSec=2\n'
  assert.is(await hashOf('untidy.service'), sha1(tidy))
  assert.match(await lab.on(machine, 'systemctl show -P Description untidy.service'), /^a name +in two lines$/)
  assert.is(await lab.on(machine, 'cat /var/lib/flotilla/agent/units/untidy.service'), UNTIDY)
})

test('equal texts have equal hashes, whatever the units are called', async () => {
  assert.is(await hashOf('untidy.service'), await hashOf('twin.service'))
})

test('a text without any option is no unit, at either door', async () => {
  const answer = await lab.ask('PUT', 'units/empty.service', { name: 'empty.service', options: [] })
  assert.equal([answer.status, refusal(answer)], [409, 'unit does not exist and options field empty'])
  assert.match(
    await lab.applyRefused({ 'empty.service': { spec: { content: ' \n' } } }),
    /must hold a systemd unit file/,
  )
})

test('what systemd cannot read runs nowhere, says so in its words, and hinders no other unit', async () => {
  await lab.apply({ 'garbage.service': { spec: { content: 'garbage' } }, 'beside.service': {} })
  await lab.unitWhen('garbage.service', (unit) => becauseOf(unit) === 'Refused')
  assert.match((await lab.activeOn('beside.service'))[0] ?? '', /^m\d$/)
  assert.match(await lab.why('garbage.service'), /Assignment outside of section|bad unit file setting/)
})

test('a line of more than 2 048 bytes, which fleet refused, is run', async () => {
  const long = 'x'.repeat(5_000)
  await lab.apply({ 'long.service': { service: [`Environment=LONG=${long}`, 'ExecStart=/bin/sleep infinity'] } })
  const [machine = ''] = await lab.activeOn('long.service')
  assert.is(await lab.on(machine, 'systemctl show -P Environment long.service'), `LONG=${long}`)
})

test('a unit with [Install] is enabled on its machine until it goes', async () => {
  const content = `${contentOf()}\n[Install]\nWantedBy=multi-user.target\n`
  await lab.apply({ 'wanted.service': { spec: { content } } })
  const [machine = ''] = await lab.activeOn('wanted.service')
  const link = 'ls /run/systemd/system/multi-user.target.wants /etc/systemd/system/multi-user.target.wants 2>/dev/null'
  assert.match(await lab.on(machine, `${link} || true`), /wanted\.service/)
  await lab.kubectl('delete', 'unit', 'wanted.service')
  await until(async () => !/wanted\.service/.test(await lab.on(machine, `${link} || true`)), { what: 'its link to go' })
})

// Names (§2.1)

const WRONG_NAMES: readonly (readonly [name: string, why: string])[] = [
  [`${'x'.repeat(250)}.service`, 'unit name exceeds maximum length (253)'],
  ['nodot', 'unit name must contain "."'],
  ['dot.', 'unit name cannot end in "."'],
  ['a.unknown', 'invalid unit type: "unknown"'],
  ['a@b.mount', 'invalid unit type for template: "mount"'],
  ['a b.service', "invalid character ' ' in unit name"],
  ['@a.service', 'unit name cannot start in "@"'],
]

test("a name that is none is refused with fleet's words, at its door and with kubectl", async () => {
  for (const [name, why] of WRONG_NAMES) {
    const answer = await lab.ask('PUT', at(name), { name, options: SLEEP })
    assert.equal([answer.status, refusal(answer)], [400, why])
  }
  const refused = await lab.applyRefused(Object.fromEntries(WRONG_NAMES.map(([name]) => [name, {}])))
  for (const [name, why] of WRONG_NAMES.slice(1, 4)) assert.ok(refused.includes(why), `${name}: ${refused}`)
})

const ODD_NAMES = ['a:b-c_d.e.service', 'dev-disk\\x2dby.service', 'inst@one@two.service', 'UPPER.service']

test('colons, backslashes, dots and a second @ in a name reach systemd as they are', async () => {
  await Promise.all(ODD_NAMES.map((name) => lab.fleet.start(name, SLEEP)))
  const running = await lab.running()
  for (const name of ODD_NAMES) assert.is(running[name]?.length, 1, name)
})

test('a target is a target, a path a path and a timer a timer: nothing gets .service behind it', async () => {
  await lab.apply({
    'stage.target': { spec: { content: '[Unit]\nDescription=a stage\n' } },
    'seen.path': { spec: { content: '[Path]\nPathExists=/run/never\n[X-Fleet]\nMachineOf=seen.service\n' } },
    'each.timer': { spec: { content: '[Timer]\nOnActiveSec=1h\n[X-Fleet]\nMachineOf=each.service\n' } },
    'seen.service': { spec: { desiredState: 'loaded' } },
    'each.service': { spec: { desiredState: 'loaded' } },
  })
  const active = ['stage.target', 'seen.path', 'each.timer']
  await lab.activeOn(...active)
  const subs = Object.fromEntries((await lab.seen()).map(({ unit, sub }) => [unit, sub]))
  assert.equal(
    active.map((name) => subs[name]),
    ['active', 'waiting', 'waiting'],
  )
})

test('a socket that came alone is started as soon as its service comes', async () => {
  await lab.apply({ 'early.socket': { spec: { content: '[Socket]\nListenStream=9321\n' } } })
  await lab.unitWhen('early.socket', (unit) => becauseOf(unit) === 'Failed')
  assert.match(await lab.why('early.socket'), /early\.service not loaded, refusing/)
  await lab.apply({
    'early.service': { spec: { desiredState: 'loaded', content: contentOf({ xFleet: 'MachineOf=early.socket' }) } },
  })
  await lab.activeOn('early.socket')
  assert.match((await seen('early.socket')).join(), /^m\d loaded active listening$/)
})

// Templates and instances (§2.2)

test('instances of a template are units with the same text, and each knows its own name', async () => {
  const text = service('ExecStart=/bin/sleep %i', 'TimeoutStopSec=2')
  await lab.fleet.submit('nap@.service', text)
  await Promise.all(['nap@1001.service', 'nap@1002.service'].map((name) => lab.fleet.start(name, text)))
  const machines = await lab.activeOn('nap@1001.service', 'nap@1002.service')
  const commands = await Promise.all(
    machines.map((machine, i) => lab.on(machine, `systemctl show -P ExecStart nap@100${i + 1}.service`)),
  )
  assert.match(commands[0] ?? '', /argv\[\]=\/bin\/sleep 1001/)
  assert.match(commands[1] ?? '', /argv\[\]=\/bin\/sleep 1002/)
  assert.is(await hashOf('nap@1001.service'), await hashOf('nap@1002.service'))
})

test('a template is stored and listed inactive, and no machine has a file of it', async () => {
  const file = await fileOf('nap@.service')
  assert.equal([file?.desiredState, file?.currentState, file?.machineID], ['inactive', 'inactive', undefined])
  assert.equal(await seen('nap@.service'), [])
})

test('changing or destroying the template leaves its instances alone', async () => {
  const [machine = ''] = await lab.activeOn('nap@1001.service')
  const before = await lab.mainPid('nap@1001.service', machine)
  await lab.ask('PUT', at('nap@.service'), { name: 'nap@.service', options: SLEEP })
  await lab.fleet.destroy('nap@.service')
  await lab.fleet.start('after.service', SLEEP)
  assert.is(await lab.mainPid('nap@1001.service', machine), before)
})

test('a template activated by mistake is refused, when it is made and later, and no machine notices', async () => {
  const launched = { name: 'oops@.service', desiredState: 'launched' }
  const why = 'cannot activate template "oops@.service"'
  const made = await lab.ask('PUT', at('oops@.service'), { ...launched, options: SLEEP })
  assert.equal([made.status, refusal(made)], [400, why])
  await lab.fleet.submit('oops@.service', SLEEP)
  const changed = await lab.ask('PUT', at('oops@.service'), launched)
  assert.equal([changed.status, refusal(changed)], [400, why])
  assert.match(
    await lab.applyRefused({ 'oops@.service': { spec: { desiredState: 'launched' } } }),
    /cannot activate template/,
  )
  await lab.fleet.start('oops@1.service', SLEEP)
  assert.equal((await seen('oops@1.service')).length, 1)
})

test('a.@.service is a template too', async () => {
  await lab.apply({ 'a.@.service': {} })
  assert.is((await lab.product.admin.get(Unit, 'a.@.service')).spec.desiredState, 'inactive')
})

// States (§3)

test('submitted: it is stored, on no machine, and the same text again changes nothing', async () => {
  await lab.fleet.submit('life.service', SLEEP)
  const file = await fileOf('life.service')
  assert.equal([file?.desiredState, file?.currentState, file?.machineID], ['inactive', 'inactive', undefined])
  assert.equal(await statesOf('life.service'), [])
  assert.equal(await seen('life.service'), [])
})

test('loaded: its file is on a machine, and systemd knows it and does not run it', async () => {
  await lab.fleet.load('life.service')
  const file = await fileOf('life.service')
  assert.is(file?.currentState, 'loaded')
  const machine = nameOf(file?.machineID)
  assert.is(
    await lab.on(machine ?? '', 'systemctl show -P LoadState,ActiveState life.service | xargs'),
    'loaded inactive',
  )
})

test('launched: list-units says of it what its systemd says, word for word', async () => {
  await lab.fleet.start('life.service')
  const [state] = await statesOf('life.service')
  const { machineID, systemdLoadState, systemdActiveState, systemdSubState } = state ?? {}
  const told = `${nameOf(machineID)} ${systemdLoadState} ${systemdActiveState} ${systemdSubState}`
  assert.equal(await seen('life.service'), [told])
  assert.is(told.slice(3), 'loaded active running')
  assert.is(state?.hash, sha1(SLEEP_TEXT))
})

test('a stopped unit is loaded, keeps its machine and starts again there, however loaded that machine is', async () => {
  const [home = ''] = await lab.activeOn('life.service')
  await lab.fleet.stop('life.service')
  assert.is(await lab.mainPid('life.service', home), '0')
  const pin = `MachineID=${lab.ids[home]}`
  await lab.apply(Object.fromEntries([1, 2, 3, 4].map((n) => [`ballast@${n}.service`, { xFleet: pin }])))
  await lab.fleet.start('life.service')
  assert.equal(await lab.activeOn('life.service'), [home])
})

test('an unloaded unit leaves no file behind, and is placed anew on the least loaded machine', async () => {
  const [home = ''] = await lab.activeOn('life.service')
  await lab.fleet.unload('life.service')
  assert.is(await lab.on(home, 'ls /var/lib/flotilla/agent/units | grep -c ^life.service || true'), '0')
  assert.equal(await statesOf('life.service'), [])
  await lab.fleet.start('life.service')
  const [next] = await lab.activeOn('life.service')
  assert.is.not(next, home)
})

test('a unit that failed stays launched where it is, and is failed in the words of systemd', async () => {
  await lab.apply({ 'crash.service': { service: ['ExecStart=/bin/false'] } })
  await lab.unitWhen('crash.service', (unit) => becauseOf(unit) === 'Failed')
  const [state] = await statesOf('crash.service')
  assert.equal([state?.systemdActiveState, state?.systemdSubState], ['failed', 'failed'])
  const file = await fileOf('crash.service')
  assert.equal([file?.desiredState, file?.currentState], ['launched', 'launched'])
  assert.equal(await seen('crash.service'), [`${nameOf(file?.machineID)} loaded failed failed`])
})

test('an unknown desired state is refused, for what is there and for what is not, and harms no list', async () => {
  const wrong = { name: 'life.service', desiredState: 'running' }
  assert.is((await lab.ask('PUT', 'units/life.service', wrong)).status, 400)
  assert.is((await lab.ask('PUT', 'units/new.service', { ...wrong, name: 'new.service', options: SLEEP })).status, 400)
  assert.is((await fileOf('life.service'))?.desiredState, 'launched')
  assert.is(await fileOf('new.service'), undefined)
})

test('start with the same text and state touches nothing', async () => {
  const [machine = ''] = await lab.activeOn('life.service')
  const before = await lab.mainPid('life.service', machine)
  const same = { name: 'life.service', desiredState: 'launched', options: SLEEP }
  assert.is((await lab.ask('PUT', 'units/life.service', same)).status, 204)
  await lab.fleet.start('after-same.service', SLEEP)
  assert.is(await lab.mainPid('life.service', machine), before)
})

const STUBBORN = ['TimeoutStopSec=1', 'ExecStart=/bin/sh -c "trap : TERM; while :; do sleep 0.2; done"']

test('while the old text is still stopping list-units has its hash, and list-unit-files the new one', async () => {
  await lab.fleet.start('slow.service', service(...STUBBORN))
  const old = await hashOf('slow.service')
  const body = { name: 'slow.service', desiredState: 'launched', options: SLEEP }
  assert.is((await lab.ask('PUT', 'units/slow.service', body)).status, 201)
  assert.is(await hashOf('slow.service'), old)
  assert.equal((await fileOf('slow.service'))?.options?.length, SLEEP.length)
  await until(async () => (await hashOf('slow.service')) === sha1(SLEEP_TEXT), { what: 'the hash to follow' })
})

test('start --replace restarts the unit with its new text on the machine it has, and the hash follows', async () => {
  const [machine = ''] = await lab.activeOn('life.service')
  const before = await lab.mainPid('life.service', machine)
  await lab.fleet.startReplacing('life.service', service('ExecStart=/bin/sleep 4321', 'TimeoutStopSec=2'))
  const wanted = sha1('[Service]\nExecStart=/bin/sleep 4321\nTimeoutStopSec=2\n')
  await until(async () => (await hashOf('life.service')) === wanted, { what: 'the new hash' })
  assert.equal(await lab.activeOn('life.service'), [machine])
  const pid = await lab.mainPid('life.service', machine)
  assert.is.not(pid, before)
  assert.is(await lab.on(machine, `tr '\\0' ' ' < /proc/${pid}/cmdline`), '/bin/sleep 4321')
})

test('a new text without a state stops the unit', async () => {
  const answer = await lab.ask('PUT', 'units/life.service', { name: 'life.service', options: SLEEP })
  assert.is(answer.status, 201)
  await until(async () => (await statesOf('life.service')).length === 0, { what: 'its state to go' })
  assert.is((await fileOf('life.service'))?.desiredState, 'inactive')
  assert.equal(await seen('life.service'), [])
})

test('restart leaves the unit running', async () => {
  await lab.fleet.start('life.service')
  await lab.fleet.restart('life.service')
  await lab.unitWhen('life.service', isActive)
  assert.is((await seen('life.service')).length, 1)
})

test('what kubectl made fleet may stop and change, and what only kubectl knows of stays', async () => {
  await lab.apply({ 'both.service': { labels: { team: 'blue' }, placement: { machineID: lab.ids.m2 ?? '' } } })
  assert.equal(await lab.activeOn('both.service'), ['m2'])
  await lab.fleet.stop('both.service')
  await lab.fleet.startReplacing('both.service', service('ExecStart=/bin/sleep 5432', 'TimeoutStopSec=2'))
  const { metadata, spec } = await lab.product.admin.get(Unit, 'both.service')
  assert.equal([metadata.labels?.team, spec.placement?.machineID], ['blue', lab.ids.m2])
  assert.match(await lab.on('m2', 'systemctl show -P ExecStart both.service'), /sleep 5432/)
})

test('destroy of a running unit: out of list-unit-files at once, and soon off its machine', async () => {
  await lab.fleet.destroy('life.service')
  assert.is(await fileOf('life.service'), undefined)
  await until(async () => (await statesOf('life.service')).length === 0, { what: 'its state to go' })
  assert.equal(await seen('life.service'), [])
})

test('of many changes in a row the last one counts, for the text and for the state', async () => {
  const name = 'hasty.service'
  for (const seconds of [1, 2, 3, 4, 5]) {
    const options = service(`ExecStart=/bin/sleep 600${seconds}`, 'TimeoutStopSec=2')
    await lab.ask('PUT', at(name), { name, desiredState: 'launched', options })
  }
  for (const desiredState of ['loaded', 'launched', 'inactive', 'launched', 'loaded', 'launched'])
    await lab.ask('PUT', at(name), { name, desiredState })
  const [machine = ''] = await lab.activeOn(name)
  await until(async () => /^m\d loaded active running$/.test((await seen(name)).join()), { what: 'it to run once' })
  assert.match(await lab.on(machine, `systemctl show -P ExecStart ${name}`), /sleep 6005/)
})

test('destroyed and made anew while the old one is still stopping, it runs the new text, once', async () => {
  const name = 'phoenix.service'
  await lab.fleet.start(name, service(...STUBBORN))
  await lab.fleet.destroy(name)
  await lab.fleet.start(name, service('ExecStart=/bin/sleep 7654', 'TimeoutStopSec=2'))
  const [machine = ''] = await lab.activeOn(name)
  await until(async () => (await seen(name)).join() === `${machine} loaded active running`, { what: 'one to run' })
  const pid = await lab.mainPid(name, machine)
  assert.is(await lab.on(machine, `tr '\\0' ' ' < /proc/${pid}/cmdline`), '/bin/sleep 7654')
})

test('list-units and systemd agree on every unit of every machine', async () => {
  assert.ok(Object.keys(await lab.running()).length > 10)
  assert.equal(await lab.disagreements(), [])
})

test('130 units take two pages, each unit once; a page token of another limit is refused', async () => {
  const missing = 130 - (await lab.fleet.listUnitFiles()).length
  const names = Array.from({ length: missing }, (_, i) => `page@${i}.service`)
  await Promise.all(names.map((name) => lab.ask('PUT', at(name), { name, options: SLEEP })))
  const first = (await lab.ask('GET', 'units')).body as { units: FleetUnit[]; nextPageToken?: string }
  assert.is(first.units.length, 100)
  assert.is(first.nextPageToken, 'ZAACAA==')
  const all = (await lab.fleet.listUnitFiles()).map(({ name }) => name)
  assert.is(new Set(all).size, 130)
  assert.equal(all, all.toSorted())
  assert.is((await lab.ask('GET', 'units?nextPageToken=MgACAA==')).status, 400)
})

test.run()
