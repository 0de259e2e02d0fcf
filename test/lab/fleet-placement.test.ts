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

test.run()
