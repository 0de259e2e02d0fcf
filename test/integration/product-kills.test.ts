/** kill -9 of each of the product's three processes: nothing that runs is stopped, and all is picked up again. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import type { RunningProcess } from '../support/process.ts'
import { type Product, startFlotilla, startProduct } from '../support/product.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const content = '[Service]\nExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=100ms\n'
const test = suite('kill -9 of the product')
const agentDir = tempDir()
let server: Product
let controllers: RunningProcess
let agent: RunningProcess

const startControllers = () => startFlotilla(['controllers', '--kubeconfig', server.kubeconfig], server.kubeconfig)
const startAgent = () => {
  const place = ['--name', 'box', '--driver', 'process', '--listen', '127.0.0.1:0', '--data-dir', agentDir]
  return startFlotilla(['agent', '--kubeconfig', server.kubeconfig, ...place], server.kubeconfig)
}

test.before(async () => {
  server = await startProduct(['server'])
  controllers = await startControllers()
  agent = await startAgent()
  await create('first.service')
})

test.after(async () => {
  const { items } = (await server?.admin.list(Unit)) ?? { items: [] }
  for (const { metadata } of items) await server.admin.delete(Unit, metadata.name)
  await until(async () => pidsOf(items).every((pid) => !isAlive(pid)), { what: 'the services to stop' })
  for (const helper of [agent, controllers]) await helper?.stop()
  await server?.stop()
})

function pidsOf(units: readonly Unit[]): number[] {
  return units.map(({ status }) => status?.systemd?.mainPID ?? 0)
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** The process of a unit, once it runs. */
function pidOf(name: string): Promise<number> {
  const look = async () => {
    const { status } = await server.admin.get(Unit, name)
    const isActive = status?.conditions?.some(({ type, status: value }) => type === 'Active' && value === 'True')
    return isActive && status?.systemd?.mainPID
  }
  return until(look, { what: `${name} active`, timeoutMs: 15_000 })
}

async function create(name: string): Promise<number> {
  await server.admin.create(Unit, { metadata: { name }, spec: { content } })
  return pidOf(name)
}

test('of the controllers: what runs runs on, and the next ones place new units within 5 s', async () => {
  const before = await pidOf('first.service')
  await controllers.crash()
  controllers = await startControllers()
  const begunMs = performance.now()
  await create('second.service')
  assert.ok(performance.now() - begunMs < 6_000, 'the lease of the dead leader holds at most 5 s')
  assert.is(await pidOf('first.service'), before)
})

test('of the agent: its services run on under the next one, which supervises them', async () => {
  const before = await pidOf('first.service')
  await agent.crash()
  assert.ok(isAlive(before))
  agent = await startAgent()
  await create('third.service')
  assert.is(await pidOf('first.service'), before)
  process.kill(before, 'SIGKILL')
  await until(async () => (await pidOf('first.service')) !== before, { what: 'a restart by the next agent' })
})

test('of the API server: everything runs on, and agent and controllers go on with the next one', async () => {
  const before = await pidOf('first.service')
  const { host } = new URL(server.endpoints.api ?? '')
  await server.admin.close()
  await server.process.crash()
  assert.ok(isAlive(before))
  server = await startProduct(['server', '--listen', host], { dataDir: server.dataDir })
  await create('fourth.service')
  assert.is(await pidOf('first.service'), before)
  const ready = async () =>
    (await server.admin.get(Machine, 'box')).status?.conditions?.find(({ type }) => type === 'Ready')
  assert.is((await ready())?.status, 'True')
})

test.run()
