// deadline: 90 s
/**
 * Every rule of placement on three real machines, in [X-Fleet] and in spec.placement. One cluster, and everything is
 * asked for at once: each row is then one promise about where systemd runs it.
 */
import * as assert from 'uvu/assert'
import { isActive, type LabFleet, startLabFleet, type WantedUnits } from '../support/lab-fleet.ts'
import { suiteOf } from '../support/requirements.ts'
import { FIRST, LABELS, ROWS } from './fleet-placement-rows.ts'

const test = suiteOf('rules of placement', { needs: ['lab'] })
let lab: LabFleet
let running: Readonly<Record<string, readonly string[]>>

const id = (machine: string) => lab.ids[machine] ?? ''
const wanted = (): WantedUnits =>
  Object.fromEntries(ROWS.map(([, name, asked]) => [name, typeof asked === 'function' ? asked(id) : asked]))

test.before(async () => {
  lab = await startLabFleet(3)
  await Promise.all(Object.entries(LABELS).map(([machine, labels]) => lab.label(machine, ...labels)))
  await lab.apply(FIRST)
  await lab.unitWhen('grim.service', ({ spec }) => spec.machineName === 'm2')
  await lab.apply(wanted())
  for (const [, name, , outcome] of ROWS) {
    if (typeof outcome !== 'string') await lab.waits(name)
    else if (outcome.includes(',')) for (const at of outcome.split(',')) await lab.unitWhen(copyOf(name, at), isActive)
    else await lab.unitWhen(name, isActive)
  }
  running = await lab.running()
})
test.after(async () => {
  await lab?.[Symbol.asyncDispose]()
})

/** The instance that a Global unit has on a machine. */
function copyOf(name: string, machine: string): string {
  return name.replace(/\.service$/, `.${machine}.service`)
}
for (const [promise, name, , outcome] of ROWS)
  test(promise, async () => {
    const machines = running[name] ?? []
    if (outcome === '*') assert.is(machines.length, 1)
    else if (typeof outcome === 'string') assert.is(machines.join(), outcome)
    else {
      assert.equal(machines, [])
      assert.match(await lab.waits(name), outcome)
    }
  })

const REFUSED: readonly (readonly [why: string, ...lines: string[]])[] = [
  ['unresolvable requirements: peer "a.service" matches conflict "a*"', 'MachineOf=a.service', 'Conflicts=a*'],
  ['unresolvable requirements: peer "a.service" matches replace "a*"', 'MachineOf=a.service', 'Replaces=a*'],
  ['MachineID cannot be used with Peers', 'MachineID=1', 'MachineOf=a.service'],
  ['MachineID cannot be used with Conflicts', 'MachineID=1', 'Conflicts=a.service'],
  ['MachineID cannot be used with Global', 'MachineID=1', 'Global=false'],
  ['MachineID cannot be used with Replaces', 'X-ConditionMachineID=1', 'Replaces=a.service'],
  ['Global cannot be used with Peers', 'Global=true', 'MachineOf=a.service'],
  ['Global cannot be used with Replaces', 'Global=true', 'Replaces=a.service'],
  ['Conflicts cannot be used with Replaces', 'Conflicts=b.service', 'Replaces=a.service'],
]

const optionsOf = (lines: readonly string[]) =>
  [...lines.map((line) => `X-Fleet ${line}`), 'Service ExecStart=/bin/true'].map((line) => {
    const [, section, name, value] = /^(\S+) ([^=]+)=(.*)$/.exec(line) ?? []
    return { section, name, value }
  })

for (const [why, ...lines] of REFUSED)
  test(`refused for a new unit, and as the new text of an old one: ${why}`, async () => {
    for (const name of ['never.service', 'bogus.service']) {
      const { status, body } = await lab.ask('PUT', `units/${name}`, { name, options: optionsOf(lines) })
      assert.equal([status, (body as { error: { message: string } }).error.message], [400, why])
    }
  })

test('kubectl is refused the same, for files and for fields', async () => {
  const files = Object.fromEntries(REFUSED.map(([, ...xFleet], i) => [`file-${i}.service`, { xFleet }]))
  const fields = {
    'field-1.service': { placement: { machineID: '1', conflicts: ['a.service'] } },
    'field-2.service': { placement: { global: true, machineOf: ['a.service'] } },
    'field-3.service': { placement: { machineMetadata: ['region'] } },
    'field-4.service': {
      placement: {
        machineSelector: { matchExpressions: [{ key: 'cpus', operator: 'Gt' as const, values: ['many'] }] },
      },
    },
  }
  const said = await lab.applyRefused({ ...files, ...fields })
  for (const [why] of REFUSED) assert.ok(said.replaceAll('\\"', '"').includes(why), `${why}: ${said}`)
  for (const why of ['spec.placement: ', 'must be one key=value', 'must hold exactly one whole number'])
    assert.ok(said.includes(why), `${why}: ${said}`)
  const refused = [...Object.keys(files), ...Object.keys(fields)]
  const stored = new Set((await lab.fleet.listUnitFiles()).map(({ name }) => name))
  assert.equal(
    refused.filter((name) => stored.has(name)),
    [],
  )
})

test('the leaders are where they were asked to be, and what is only loaded does not run', () => {
  const names = ['lead-a.service', 'lead-c.service', 'lead-loaded.service', 'lead-global.service', 'web@1.service']
  assert.equal(
    names.map((name) => (running[name] ?? []).join()),
    ['m2', 'm1', '', 'm3', 'm2'],
  )
})

test('what is passed over is said: PlacementSupported names the value', async () => {
  const condition = '-o=jsonpath={.status.conditions[?(@.type=="PlacementSupported")].message}'
  assert.match(
    await lab.kubectl('get', 'unit', 'meta-loose.service', condition),
    /MachineMetadata=region=south disk=tape/,
  )
})

test('why tells what each machine says, and the smallest change that would place it', async () => {
  const said = await lab.why('meta-none.service')
  assert.match(said, /0 of 3 machines can take it/)
  for (const machine of lab.machines) assert.match(said, new RegExp(`${machine}: has no metadata region=south`))
  assert.match(said, /kubectl label --overwrite machine m\d region=south/)
  assert.match(await lab.why('c-name.service'), /m2: conflicts with base\.service/)
})

test('the smallest change that why names does place it', async () => {
  await lab.apply({ 'gold.service': { xFleet: 'MachineMetadata=tier=gold' } })
  await lab.waits('gold.service')
  const [, machine = ''] = /kubectl label --overwrite machine (m\d) tier=gold/.exec(await lab.why('gold.service')) ?? []
  await lab.label(machine, 'tier=gold')
  assert.equal(await lab.activeOn('gold.service'), [machine])
})

test('list-units and systemd agree on every unit of every machine', async () => {
  assert.equal(await lab.disagreements(), [])
})

test.run()
