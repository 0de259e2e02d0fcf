// deadline: 90 s
/** Killing things under a running `up`: an agent, a machine. What runs elsewhere goes on; what is lost comes back. */
import * as assert from 'uvu/assert'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { flotilla, type Product, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { firstProcessOf, tracesOf } from '../support/traces.ts'
import { until } from '../support/until.ts'

const MACHINES = ['m1', 'm2', 'm3']
const UNITS = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}.service`)
const test = suiteOf('lost machines', { needs: ['lab'] })
let product: Product

test.before(async () => {
  product = await startProduct(['up', '--machines', '3'])
  const content = '[Service]\nExecStart=/bin/sleep infinity\n'
  await Promise.all(UNITS.map((name) => product.admin.create(Unit, { metadata: { name }, spec: { content } })))
  await until(async () => (await activeUnits()).length === UNITS.length, { what: 'all units active' })
})

test.after(async () => {
  if (product === undefined) return // it never became ready, which is told already
  await product.stop()
  assert.equal(await tracesOf(product.dataDir), [])
})

async function activeUnits(): Promise<Unit[]> {
  const { items } = await product.admin.list(Unit)
  const isActive = ({ status }: Unit) => status?.conditions?.find(({ type }) => type === 'Active')?.status === 'True'
  return items.filter((unit) => isActive(unit) && unit.status?.machineName === unit.spec.machineName)
}

async function readyOf(machine: string): Promise<string | undefined> {
  const { status } = await product.admin.get(Machine, machine)
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status
}

async function onMachine(machine: string, ...command: readonly string[]): Promise<string> {
  return (await flotilla(['exec', machine, '--', ...command], product)).stdout.trim()
}

/** `unit machine` for every unit that a systemd runs somewhere, whatever the API server believes. */
async function running(): Promise<string[]> {
  const list = (machine: string) =>
    onMachine(machine, 'systemctl', 'list-units', '--state=active', '--plain', '--no-legend', '?.service')
  const lists = await Promise.all(MACHINES.map(list))
  return lists.flatMap((text, i) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => `${line.split(' ')[0]} ${MACHINES[i]}`),
  )
}

async function believed(): Promise<string[]> {
  return (await activeUnits()).map(({ metadata, status }) => `${metadata.name} ${status?.machineName}`)
}

async function isTrueAndWhole(): Promise<void> {
  const [seen, told] = await Promise.all([running(), believed()])
  assert.equal(seen.toSorted(), told.toSorted())
  assert.is(seen.length, UNITS.length, 'each unit runs once')
}

test('the six units are spread evenly, and run where the API server says', async () => {
  await isTrueAndWhole()
  const placed = (await believed()).map((line) => line.split(' ')[1])
  for (const machine of MACHINES) assert.is(placed.filter((name) => name === machine).length, 2, machine)
})

test('kill -9 of an agent stops nothing, and the next one picks everything up', async () => {
  const pids = async () => (await product.admin.list(Unit)).items.map(({ status }) => status?.systemd?.mainPID)
  const before = await pids()
  await onMachine('m1', 'systemctl', 'kill', '--signal=KILL', 'flotilla-agent.service')
  const content = '[Service]\nExecStart=/bin/sleep infinity\n'
  const spec = { content, placement: { machineID: (await product.admin.get(Machine, 'm1')).status?.machineID } }
  await product.admin.create(Unit, { metadata: { name: 'new.service' }, spec })
  await until(async () => (await activeUnits()).some(({ metadata }) => metadata.name === 'new.service'), {
    what: 'the next agent to start a unit',
    timeoutMs: 10_000,
  })
  await product.admin.delete(Unit, 'new.service')
  assert.equal(await pids().then((all) => all.slice(0, UNITS.length)), before)
  assert.is(await readyOf('m1'), 'True')
})

test('a machine that is rebooted runs its units again', async () => {
  const bootId = async () => (await product.admin.get(Machine, 'm2')).status?.bootID
  const before = await bootId()
  await onMachine('m2', 'systemctl', 'reboot')
  await until(async () => (await bootId()) !== before && (await readyOf('m2')) === 'True', {
    what: 'm2 Ready with its next boot',
    timeoutMs: 15_000,
  })
  await until(() => isTrueAndWhole().then(() => true), { what: 'every unit to run once', timeoutMs: 10_000 })
})

test('a lost machine is not Ready, and its units are active elsewhere, within 10 s', async () => {
  const pid = await firstProcessOf(product.dataDir, 'm3')
  assert.ok(pid, 'm3 runs')
  assert.ok(
    (await believed()).some((line) => line.endsWith(' m3')),
    'm3 has units',
  )
  process.kill(pid, 'SIGKILL')
  const moved = async () => {
    const told = await believed()
    return told.length === UNITS.length && told.every((line) => !line.endsWith(' m3'))
  }
  await until(moved, { what: 'every unit active on m1 and m2', timeoutMs: 10_000 })

  assert.is(await readyOf('m3'), 'Unknown')
})

test('a crashed machine boots again, is Ready again, and nothing runs twice', async () => {
  await product.process.waitForLine(/^m3 crashed; it boots again in/)
  await until(async () => (await readyOf('m3')) === 'True', { what: 'm3 Ready again', timeoutMs: 20_000 })
  await isTrueAndWhole()
  assert.is(await onMachine('m3', 'ls', '/var/lib/flotilla/agent/units'), '')
})

test.run()
