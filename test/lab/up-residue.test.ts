// deadline: 120 s
/** What `up` leaves on this box when it ends, however it ends: nothing but its data folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import * as assert from 'uvu/assert'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { startProcess } from '../support/process.ts'
import { BUNDLE, flotilla, type Product, QUICKSTART, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { tracesOf } from '../support/traces.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'

const test = suiteOf('what up leaves behind', { needs: ['lab'] })

async function applyQuickstart(product: Product): Promise<void> {
  const { code, stderr } = await flotilla(['apply', '-f', QUICKSTART], product)
  assert.is(code, 0, stderr)
  await runs(product, 'web.service')
}

/** Asked of the machine's own systemd: what the API server remembers may be from before. */
function runs(product: Product, unit: string): Promise<boolean> {
  const ask = async () => {
    const { stdout } = await flotilla(['exec', `unit/${unit}`, '--', 'systemctl', 'is-active', unit], product)
    return stdout.trim() === 'active'
  }
  return until(ask, { what: `${unit} active`, timeoutMs: 20_000 })
}

function down(dataDir: string) {
  return flotilla(['down', '--data-dir', dataDir], { kubeconfig: '/dev/null' })
}

async function machineIds({ admin }: Product): Promise<(string | undefined)[]> {
  return (await admin.list(Machine)).items.map(({ status }) => status?.machineID)
}

test('Ctrl-C at a terminal leaves no process, mount, namespace, cgroup or interface behind', async () => {
  await using product = await startProduct(['up', '--machines', '2'])
  await applyQuickstart(product)
  assert.ok((await tracesOf(product.dataDir)).length > 10, 'while it runs there is much to see')
  await product.admin.close()
  process.kill(-product.process.pid, 'SIGINT') // a terminal tells the whole process group
  assert.is((await product.process.exited).code, 0)
  assert.equal(await tracesOf(product.dataDir), [])
})

test('neither does a SIGTERM while the machines boot', async () => {
  const dataDir = tempDir()
  const argv = [process.execPath, BUNDLE, 'up', '--listen', '127.0.0.1:0', '--data-dir', dataDir]
  const running = await startProcess(argv)
  await running.waitForLine(/controllers/)
  assert.equal(await running.stop('SIGTERM', { timeoutMs: 20_000 }), { code: 0, signal: null })
  assert.equal(await tracesOf(dataDir), [])
})

test('nor does a terminal that is closed: nobody is left to read what up says', async () => {
  const dataDir = tempDir()
  const argv = [BUNDLE, 'up', '--machines', '1', '--listen', '127.0.0.1:0', '--data-dir', dataDir]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('ready:')) break
  child.stdout.destroy()
  child.stderr.destroy()
  child.kill('SIGHUP')
  assert.equal(await within(20_000, exited, 'up to stop'), [0, null])
  assert.equal(await tracesOf(dataDir), [])
})

test('after kill -9 the machines are dead, down removes the rest, and a new up goes on where the old one was', async () => {
  const first = await startProduct(['up', '--machines', '1'])
  const { dataDir } = first
  await applyQuickstart(first)
  const ids = await machineIds(first)
  await first.admin.close()
  await first.process.crash()
  const processes = async () => (await tracesOf(dataDir)).filter((trace) => trace.startsWith('process'))
  await until(async () => (await processes()).length === 0, { what: 'every process to be dead' })
  const cleaned = await down(dataDir)
  assert.equal([cleaned.code, cleaned.stderr], [0, ''])
  assert.match(cleaned.stdout, /^removed network namespace/m)
  assert.equal(await tracesOf(dataDir), [])
  assert.match((await down(dataDir)).stdout, /nothing to remove/)
  await using second = await startProduct(['up', '--machines', '1'], { dataDir })
  assert.equal(await machineIds(second), ids)
  assert.is((await second.admin.list(Unit)).items.length, 8)
  await runs(second, 'web.service')
})

test('without down, too, a new up takes over what a killed one left', async () => {
  const first = await startProduct(['up', '--machines', '1'])
  await first.admin.close()
  await first.process.crash()
  await using second = await startProduct(['up', '--machines', '1'], { dataDir: first.dataDir })
  await second.stop()
  assert.equal(await tracesOf(first.dataDir), [])
})

test('two ups side by side do not meet, and down leaves a running one alone', async () => {
  const [one, other] = await Promise.all([
    startProduct(['up', '--machines', '1']),
    startProduct(['up', '--machines', '1']),
  ])
  assert.is.not(one.endpoints.api, other.endpoints.api)
  await applyQuickstart(one)
  assert.is((await other.admin.list(Unit)).items.length, 0)
  const refused = await down(one.dataDir)
  assert.is(refused.code, 1)
  assert.match(refused.stderr, /in use by a running flotilla/)
  await one.stop()
  assert.equal(await tracesOf(one.dataDir), [])
  await applyQuickstart(other)
  await other.stop()
  assert.equal(await tracesOf(other.dataDir), [])
})

test('a second up on the same data folder is refused in one sentence and disturbs nothing', async () => {
  await using product = await startProduct(['up', '--machines', '1'])
  const argv = ['up', '--machines', '1', '--listen', '127.0.0.1:0', '--data-dir', product.dataDir]
  const { code, stderr } = await flotilla(argv, product)
  assert.is(code, 1)
  assert.match(stderr, /^flotilla: .+ already run by another process\n$/)
  await applyQuickstart(product)
})

test.run()
