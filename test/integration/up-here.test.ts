// deadline: 90 s
/** `up` on a host without systemd: the quickstart's services run as child processes, for root and for nobody alike. */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { type Costume, NOBODY, nobodyCostume, rootCostume } from '../support/costume.ts'
import { type Finished, runProcess } from '../support/process.ts'
import { flotilla, type Product, QUICKSTART, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const RUNNING = ['web.service', 'worker@1.service', 'worker@2.service']
const REFUSED = ['greeter.socket', 'tick.timer']

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The quickstart as it is, on a port that is free on this host. */
function quickstart(port: number): string {
  const texts = readdirSync(QUICKSTART).map((name) => readFileSync(join(QUICKSTART, name), 'utf8'))
  return texts.join('\n---\n').replaceAll('8080', String(port))
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function active(unit: Unit) {
  return unit.status?.conditions?.find(({ type }) => type === 'Active')
}

function uidOf(pid: number): number {
  return Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Who runs it, how, and what runs now. */
interface Stage {
  readonly uid: number
  readonly args: readonly string[]
  readonly port: number
  readonly product: Product
  start(): Promise<void>
  /** kill -9 */
  crash(): Promise<void>
  down(): Promise<Finished>
}

async function setStage(uid: number, costume: Costume, args: readonly string[]): Promise<Stage> {
  let product = await startProduct(['up', ...args], costume)
  const argv = [...costume.before, ...costume.program, 'down', '--data-dir', costume.dataDir]
  return {
    ...{ uid, args, port: await freePort() },
    get product() {
      return product
    },
    start: async () => {
      product = await startProduct(['up', ...args], costume)
    },
    crash: async () => {
      await product.admin.close()
      await product.process.crash()
    },
    down: () => runProcess(argv, { env: costume.env }),
  }
}

async function units({ admin }: Product, names: readonly string[], reason: string): Promise<Unit[]> {
  const look = async () => {
    const { items } = await admin.list(Unit)
    const found = names.flatMap((name) => items.find(({ metadata }) => metadata.name === name) ?? [])
    const reasons = found.map((unit) => active(unit)?.reason)
    if (found.length === names.length && reasons.every((one) => one === reason)) return found
    throw new Error(`${names} are ${reasons}`)
  }
  return until(look, { what: `${names} to be ${reason}`, timeoutMs: 10_000 })
}

async function pids(product: Product): Promise<number[]> {
  return (await units(product, RUNNING, 'Running')).map(({ status }) => status?.systemd?.mainPID ?? 0)
}

type Promised = (stage: Stage) => Promise<void>
const promises: (readonly [title: string, run: Promised])[] = []
const promise = (title: string, run: Promised) => void promises.push([title, run])

promise('it says in one sentence why this host is the machine, and which driver it uses', async ({ product, args }) => {
  const said = product.process.lines.join('\n')
  if (args.length === 0) assert.match(said, /^.+ This host itself becomes the machine \(--here\)\.$/m)
  assert.match(said, /systemd does not run on this machine: services are child processes/)
  const [machine, ...others] = (await product.admin.list(Machine)).items
  assert.is(others.length, 0)
  assert.is(machine?.status?.unitDriver, 'process')
})

promise("the quickstart's services run", async ({ product, port, uid }) => {
  const { code, stderr } = await flotilla(['apply', '-f', '-'], { ...product, input: quickstart(port) })
  assert.is(code, 0, stderr)
  for (const pid of await pids(product)) assert.is(uidOf(pid), uid)
  await units(product, ['once.service'], 'Completed')
  const answer = await fetch(`http://127.0.0.1:${port}/`)
  assert.match(await answer.text(), /hello from the fleet/)
})

promise('what needs systemd is refused by name, and what waits for it is only loaded', async ({ product }) => {
  for (const unit of await units(product, REFUSED, 'NotSupported')) {
    assert.match(active(unit)?.message ?? '', /^a (socket|timer) unit .*systemd/)
    assert.is(unit.status?.currentState, 'inactive')
  }
  await units(product, ['greeter.service', 'tick.service'], 'Stopped')
})

promise('journal shows what a service said, and exec runs as who runs the agent', async ({ product, uid }) => {
  const { stdout } = await flotilla(['journal', 'worker@2.service'], product)
  assert.match(stdout, /worker 2 is working/)
  const run = await flotilla(['exec', 'unit/web.service', '--', 'id', '-u'], product)
  assert.is(run.stdout.trim(), String(uid))
})

promise("kill -9 of a service's process shows the restart within 2 s", async ({ product }) => {
  const [pid = 0] = await pids(product)
  process.kill(pid, 'SIGKILL')
  const look = async () => (await product.admin.get(Unit, 'web.service')).status?.systemd?.restarts === 1
  await until(look, { what: 'the restart to show', timeoutMs: 2_000 })
})

promise('kill -9 of up stops no service, and the next up goes on with them', async (stage) => {
  const before = await pids(stage.product)
  await stage.crash()
  assert.ok(before.every(isAlive))
  await stage.start()
  await until(async () => (await pids(stage.product)).join() === before.join(), { what: 'the same processes' })
  assert.ok(before.every(isAlive))
})

promise('Ctrl-C stops the services too', async ({ product }) => {
  const before = await pids(product)
  assert.is((await product.stop()).code, 0)
  assert.not.ok(before.some(isAlive))
})

promise('after kill -9 down stops the services', async (stage) => {
  await stage.start()
  const running = async () => {
    const all = await pids(stage.product)
    return all.every(isAlive) && all
  }
  const left = await until(running, { what: 'the services to run again' })
  await stage.crash()
  const { code, stdout } = await stage.down()
  assert.is(code, 0)
  assert.match(stdout, /^stopped web\.service$/m)
  assert.not.ok(left.some(isAlive))
  assert.match((await stage.down()).stdout, /nothing to remove/)
})

function tell(who: string, uid: number, dress: () => Costume, args: readonly string[]): () => void {
  const test = suiteOf(`up without systemd, as ${who}`, { needs: ['root', 'namespaces'] })
  let stage: Stage
  test.before(async () => {
    stage = await setStage(uid, dress(), args)
  })
  test.after(async () => {
    await stage?.product.stop()
    await stage?.down()
  })
  for (const [title, run] of promises) test(title, () => run(stage))
  return test.run
}

const asRoot = tell('root', 0, rootCostume, ['--here'])
const asNobody = tell('nobody', NOBODY, nobodyCostume, [])
asRoot()
asNobody()
