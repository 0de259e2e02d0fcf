// deadline: 120 s
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
  await until(async () => (await activeUnits()).length === 8, { what: 'all on m1', timeoutMs: 15_000 })
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

/** How many of these ran after each turn, by what the machines' systemds wrote into their journals, from the first on. */
async function ranAtOnce(pattern: string, end: 'Stopping' | 'Stopped'): Promise<number[]> {
  const journal = (machine: string) =>
    onMachine(machine, 'journalctl', '--no-pager', '-q', '-o', 'short-unix', '-u', pattern)
  const lines = (await Promise.all(MACHINES.map(journal))).flatMap((text) => text.split('\n'))
  const turns = lines.flatMap((line) => {
    const [, time, what] = /^([\d.]+) \S+ systemd\[1\]: (Started|Stopping|Stopped) /.exec(line) ?? []
    return what === 'Started' || what === end ? [{ at: Number(time), by: what === 'Started' ? 1 : -1 }] : []
  })
  let running = 0
  return turns
    .toSorted((a, b) => a.at - b.at)
    .map(({ by }) => {
      running += by
      return running
    })
}

async function fewestInstances(): Promise<number> {
  const counts = await ranAtOnce('web@*.service', 'Stopping')
  assert.ok(counts.length >= 9, 'three starts, and a stop and a start for each')
  return Math.min(...counts.slice(counts.indexOf(3)))
}

/** What the API server believes, to wait by: asking the machines takes longer. */
async function activeUnits(): Promise<Unit[]> {
  const { items } = await product.admin.list(Unit)
  return items.filter(
    ({ spec, status }) => status?.systemd?.activeState === 'active' && status.machineName === spec.machineName,
  )
}

/** Seven that are not Global: all active, none but `staying` on the machine, no two of one, and the pair together. */
async function isTrueAndWhole(machine: string, staying: readonly string[]): Promise<void> {
  const notGlobal = ({ metadata }: Unit) => !metadata.name.startsWith('probe.')
  await until(async () => (await activeUnits()).filter(notGlobal).length === 7, {
    what: 'all active',
    timeoutMs: 10_000,
  })
  const twice: string[] = []
  // What an agent has told may be a moment older than what its systemd does.
  const lists = await until(
    async () => {
      const seen = await Promise.all(MACHINES.map(runningOn))
      const all = seen.flat().filter((name) => name !== 'probe.service')
      twice.push(...all.filter((name, at) => all.indexOf(name) !== at))
      return all.length === 7 && seen
    },
    { what: 'seven that run', timeoutMs: 10_000 },
  )
  assert.equal(twice, [], 'each runs once')
  assert.equal(lists[MACHINES.indexOf(machine)]?.toSorted(), staying)
  const together = lists.filter((names) => names.includes('db.service') || names.includes('backup.service'))
  assert.is(together.length, 1)
}

for (const client of clients.filter(({ version }) => version !== '1.20'))
  test(`kubectl ${client.version} drain moves all but what stays, peers together, two of three instances running`, async () => {
    const kubectl = bindKubectl(client, () => product.kubeconfig)
    const { code, stdout, stderr } = await kubectl.ends('drain', 'm1', '--ignore-daemonsets', '--timeout=25s')
    assert.is(code, 0, stdout + stderr)
    for (const name of ['web@1', 'web@2', 'web@3', 'db', 'backup', 'vip'])
      assert.match(stdout, new RegExp(`pod/${name}\\.service evicted`))
    assert.match(stderr, /Warning: unit\/local\.service stays on m1: its failover is none/)
    await isTrueAndWhole('m1', ['local.service', 'probe.service'])
    assert.is(await fewestInstances(), 2)
    await kubectl('uncordon', 'm1')
  })

test('flotilla drain does the same, the next machine back in use, and nothing moves back', async () => {
  await command('uncordon', 'm1')
  const before = await runningOn('m2')
  assert.ok(before.length > 1, 'm2 has units')
  const said = await command('drain', 'm2', '--timeout', '25s')
  assert.match(said, /^machine\/m2 drained: nothing is left to move.*staying: 1 unit of Global ones$/m)
  await isTrueAndWhole('m2', ['probe.service'])
  assert.is(await fewestInstances(), 2)
  await command('uncordon', 'm2')
  assert.equal(await runningOn('m2'), ['probe.service'])
})

test('an exclusive unit of a drained machine starts elsewhere only after it has stopped', async () => {
  const { status } = await product.admin.get(Unit, 'vip.service')
  const machine = status?.machineName ?? ''
  await command('drain', machine, '--timeout', '25s')
  const isElsewhere = ({ metadata, spec }: Unit) => metadata.name === 'vip.service' && spec.machineName !== machine
  await until(async () => (await activeUnits()).some(isElsewhere), { what: 'vip.service elsewhere', timeoutMs: 10_000 })
  const counts = await ranAtOnce('vip.service', 'Stopped')
  assert.ok(counts.length >= 5, 'started, and stopped and started twice at least')
  assert.is(Math.max(...counts), 1)
})

test.run()
