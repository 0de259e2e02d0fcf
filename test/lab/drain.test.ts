// deadline: 90 s
/** Draining real machines: what runs where is asked of their systemds, and who was down when of their journals. */
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import { bindKubectl } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import { flotilla, type Product, startProduct } from '../support/product.ts'
import { requirement, suiteOf } from '../support/requirements.ts'
import { tracesOf } from '../support/traces.ts'
import { until } from '../support/until.ts'

const MACHINES = ['m1', 'm2', 'm3']
const test = suiteOf('drained machines', { needs: ['lab'] })
const clients = requirement('lab') === undefined ? await kubectls() : []
let product: Product

test.before(async () => {
  product = await startProduct(['up', '--machines', '3'])
  await command('cordon', 'm2', 'm3')
  const start = (name: string, spec: Partial<Unit['spec']> = {}, xFleet = '') => {
    const content = `[Service]\nExecStart=/bin/sleep infinity\n[X-Fleet]\n${xFleet}\n`
    return product.admin.create(Unit, { metadata: { name }, spec: { content, ...spec } })
  }
  await Promise.all([
    start('web@.service', { replicas: 3, maxUnavailable: 1 }),
    start('db.service'),
    start('backup.service', {}, 'MachineOf=db.service'),
    start('local.service', { failover: 'none' }),
    start('vip.service', { failover: 'exclusive' }),
    start('probe.service', {}, 'Global=true'),
  ])
  // Cordoned machines get no instance of a Global unit either.
  await until(async () => (await runningOn('m1')).length === 8, { what: 'all on m1', timeoutMs: 15_000 })
  await command('uncordon', 'm2', 'm3')
})

test.after(async () => {
  if (product === undefined) return // it never became ready, which is told already
  await product.stop()
  assert.equal(await tracesOf(product.dataDir), [])
})

async function command(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await flotilla(args, product)
  assert.is(code, 0, stdout + stderr)
  return stdout
}

async function onMachine(machine: string, ...words: readonly string[]): Promise<string> {
  return (await flotilla(['exec', machine, '--', ...words], product)).stdout.trim()
}

const OURS = ['web@*.service', 'db.service', 'backup.service', 'local.service', 'vip.service', 'probe.service']

/** Names of what its systemd runs, whatever the API server believes. */
async function runningOn(machine: string): Promise<string[]> {
  const text = await onMachine(machine, 'systemctl', 'list-units', '--state=active', '--plain', '--no-legend', ...OURS)
  return text.split('\n').flatMap((line) => line.split(' ')[0] || [])
}

/** How few of the three instances ran at any time, by what the machines' systemds wrote into their journals. */
async function fewestInstances(): Promise<number> {
  const journal = (machine: string) =>
    onMachine(machine, 'journalctl', '--no-pager', '-q', '-o', 'short-unix', '-u', 'web@*.service')
  const lines = (await Promise.all(MACHINES.map(journal))).flatMap((text) => text.split('\n'))
  const turns = lines.flatMap((line) => {
    const [, time, what] = /^([\d.]+) .*(Started|Stopping) web@\d/.exec(line) ?? []
    return time === undefined ? [] : [{ at: Number(time), by: what === 'Started' ? 1 : -1 }]
  })
  let running = 0
  const counts = turns.toSorted((a, b) => a.at - b.at).map(({ by }) => (running += by))
  assert.ok(counts.length >= 9, 'three starts, and a stop and a start for each')
  return Math.min(...counts.slice(counts.indexOf(3)))
}

async function isOnTwo(machine: string, staying: readonly string[]): Promise<boolean> {
  const lists = await Promise.all(MACHINES.map(runningOn))
  const [own = []] = lists.filter((_, at) => MACHINES[at] === machine)
  const all = lists.flat().filter((name) => name !== 'probe.service')
  assert.is(new Set(all).size, all.length, `nothing runs twice: ${all}`)
  const pair = lists.filter((names) => names.includes('db.service') || names.includes('backup.service'))
  return own.toSorted().join() === staying.join() && all.length === 7 && pair.length === 1
}

for (const client of clients.filter(({ version }) => version !== '1.20'))
  test(`kubectl ${client.version} drain moves all but what stays, peers together, two of three instances running`, async () => {
    const kubectl = bindKubectl(client, () => product.kubeconfig)
    const { code, stdout, stderr } = await kubectl.ends('drain', 'm1', '--ignore-daemonsets', '--timeout=25s')
    assert.is(code, 0, stdout + stderr)
    for (const name of ['web@1', 'web@2', 'web@3', 'db', 'backup', 'vip'])
      assert.match(stdout, new RegExp(`pod/${name}\\.service evicted`))
    assert.match(stderr, /Warning: unit\/local\.service stays on m1: its failover is none/)
    await until(() => isOnTwo('m1', ['local.service', 'probe.service']), { what: 'm1 empty', timeoutMs: 10_000 })
    assert.is(await fewestInstances(), 2)
    await kubectl('uncordon', 'm1')
  })

test('flotilla drain does the same, the next machine back in use, and nothing moves back', async () => {
  await command('uncordon', 'm1')
  const before = await runningOn('m2')
  assert.ok(before.length > 1, 'm2 has units')
  const said = await command('drain', 'm2', '--timeout', '25s')
  assert.match(said, /^machine\/m2 drained: nothing is left to move.*staying: 1 unit of Global ones$/m)
  await until(() => isOnTwo('m2', ['probe.service']), { what: 'm2 empty', timeoutMs: 10_000 })
  assert.is(await fewestInstances(), 2)
  await command('uncordon', 'm2')
  assert.equal(await runningOn('m2'), ['probe.service'])
})

test('an exclusive unit of a drained machine starts elsewhere with a later claim, after it has stopped', async () => {
  const { status } = await product.admin.get(Unit, 'vip.service')
  const machine = status?.machineName ?? ''
  await command('drain', machine, '--timeout', '25s')
  const moved = await until(
    async () => {
      const unit = await product.admin.get(Unit, 'vip.service')
      return unit.status?.systemd?.activeState === 'active' && unit.status.machineName !== machine && unit
    },
    { what: 'vip.service active elsewhere', timeoutMs: 10_000 },
  )
  assert.equal(await runningOn(machine).then((names) => names.includes('vip.service')), false)
  assert.is.not(moved.status?.machineName, machine)
})

test.run()
