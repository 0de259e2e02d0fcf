/** fleetctl's verbs, call by call as it makes them, against the whole product: server, controllers and an agent. */
import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { Machine } from '../../crds/machine.ts'
import { rootCostume } from '../support/costume.ts'
import { askFleet } from '../support/fleet-v1-client.ts'
import { type Fleetctl, fleetctl, type Option } from '../support/fleetctl-moves.ts'
import { type Product, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const test = suiteOf("fleetctl's verbs", { needs: ['root', 'namespaces'] })
const service = (...lines: readonly string[]): Option[] =>
  lines.map((line) => {
    const [name = '', ...value] = line.split('=')
    return { section: 'Service', name, value: value.join('=') }
  })
const SLEEP = service('ExecStart=/bin/sleep 1000')
const LONGER = service('ExecStart=/bin/sleep 2000')
const metadata = (value: string): Option => ({ section: 'X-Fleet', name: 'MachineMetadata', value })
const hash = (text: string) => createHash('sha1').update(text).digest('hex')

let product: Product
let fleet: Fleetctl

test.before(async () => {
  product = await startProduct(['up', '--here', '--machines', '0'], rootCostume())
  fleet = fleetctl(product.endpoints.fleetV1 ?? '')
})
test.after(async () => {
  await product.stop()
})

const stateOf = async (name: string) => (await fleet.listUnits()).find((state) => state.name === name)
const fileOf = async (name: string) => (await fleet.listUnitFiles()).find((unit) => unit.name === name)

test('list-machines: the machine has the ID that /etc/machine-id gives it', async () => {
  const [machine, ...others] = await fleet.listMachines()
  const [object] = (await product.admin.list(Machine)).items
  assert.is(others.length, 0)
  assert.match(machine?.id ?? '', /^[0-9a-f]{32}$/)
  assert.is(machine?.id, object?.status?.machineID)
})

test('submit, cat: what was sent is stored, and does not run', async () => {
  await fleet.submit('web.service', SLEEP)
  await fleet.submit('web.service', LONGER)
  assert.equal(
    (await fleet.cat('web.service')).map(({ value }) => value),
    ['/bin/sleep 1000'],
  )
  assert.is((await fileOf('web.service'))?.desiredState, 'inactive')
  assert.is(await stateOf('web.service'), undefined)
})

test('load, start, stop, unload: each returns when the unit is there', async () => {
  const [machine] = await fleet.listMachines()
  await fleet.load('web.service')
  assert.is((await fileOf('web.service'))?.machineID, machine?.id)
  await fleet.start('web.service')
  const running = await stateOf('web.service')
  assert.equal([running?.systemdActiveState, running?.machineID], ['active', machine?.id])
  assert.is(running?.hash, hash('[Service]\nExecStart=/bin/sleep 1000\n'))
  await fleet.stop('web.service')
  assert.is((await stateOf('web.service'))?.systemdActiveState, 'inactive')
  await fleet.unload('web.service')
  await until(async () => (await stateOf('web.service')) === undefined, { what: 'its state to go' })
})

test('start of what is new, and start --replace: the hash in list-units follows', async () => {
  await fleet.start('app.service', SLEEP)
  await fleet.startReplacing('app.service', LONGER)
  const wanted = hash('[Service]\nExecStart=/bin/sleep 2000\n')
  await until(async () => (await stateOf('app.service'))?.hash === wanted, { what: 'the new text to run' })
})

test('restart: returns with the unit active', async () => {
  await fleet.restart('app.service')
  const isActive = async () => (await stateOf('app.service'))?.systemdActiveState === 'active'
  await until(isActive, { what: 'app.service to be active' })
})

test('templates: instances are units of their own with the same text', async () => {
  await fleet.submit('side@.service', SLEEP)
  await Promise.all(['side@1.service', 'side@2.service'].map((name) => fleet.start(name, SLEEP)))
  assert.equal(
    (await fleet.listUnitFiles()).flatMap(({ name, currentState }) => (name.startsWith('side') ? [currentState] : [])),
    ['inactive', 'launched', 'launched'],
  )
  const refused = await fleet.start('side@.service').catch(({ message }: Error) => message)
  assert.match(String(refused), /cannot activate template \\"side@\.service\\"/)
})

test('metadata of a machine decide where a unit runs, as soon as they are patched', async () => {
  await fleet.submit('disk.service', [...SLEEP, metadata('disk=ssd')])
  const [machine] = await fleet.listMachines()
  const body = (op: string, value?: string) => [
    { op, path: `/${machine?.id}/metadata/disk`, ...(value && { value: { value } }) },
  ]
  const url = product.endpoints.fleetV1 ?? ''
  const started = fleet.start('disk.service')
  assert.is((await askFleet(url, 'PATCH', '/fleet/v1/machines', { body: body('add', 'ssd') })).status, 204)
  await started
  assert.equal((await fleet.listMachines())[0]?.metadata?.disk, 'ssd')
  await askFleet(url, 'PATCH', '/fleet/v1/machines', { body: body('remove') })
  await until(async () => (await fileOf('disk.service'))?.machineID === undefined, { what: 'it to be taken off' })
})

test('destroy: gone from list-unit-files at once, from list-units once it is stopped', async () => {
  const names = (await fleet.listUnitFiles()).map(({ name }) => name)
  for (const name of names) await fleet.destroy(name)
  assert.equal(await fleet.listUnitFiles(), [])
  await until(async () => (await fleet.listUnits()).length === 0, { what: 'all states to go' })
  const again = await fleet.destroy('web.service').catch(({ message }: Error) => message)
  assert.match(String(again), /not found/)
})

test.run()
