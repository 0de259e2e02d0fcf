// deadline: 120 s
/** The quickstart on three machines with their own systemd, told by kubectl: the same story for each kubectl there is. */
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import { kubectlStory } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import { flotilla, type Product, QUICKSTART, startProduct } from '../support/product.ts'
import { requirement, suiteOf } from '../support/requirements.ts'
import { tracesOf } from '../support/traces.ts'
import { until } from '../support/until.ts'

const STARTED = ['greeter.socket', 'once.service', 'tick.timer', 'web.service', 'worker@1.service', 'worker@2.service']
const LOADED = ['greeter.service', 'tick.service']

const test = suiteOf('main job', { needs: ['lab'] })
const clients = requirement('lab') === undefined ? await kubectls() : []
const { promise, tell } = kubectlStory(test, clients)
let product: Product

test.before(async () => {
  product = await startProduct(['up', '--machines', '3'])
})

test.after(async () => {
  if (product === undefined) return // it never became ready, which is told already
  const { code } = await product.stop()
  assert.is(code, 0)
  assert.equal(await tracesOf(product.dataDir), [])
})

/** A shell line on the machine that holds the unit, run by `flotilla exec`. */
async function onMachineOf(unit: string, script: string): Promise<string> {
  const { stdout } = await flotilla(['exec', `unit/${unit}`, '--', 'sh', '-c', script], product)
  return stdout.trim()
}

async function addressOf(unit: string): Promise<string> {
  const { status } = await product.admin.get(Unit, unit)
  const { stdout } = await flotilla(['get', `machine/${status?.machineName}`, '-o', 'json'], product)
  const addresses: { type: string; address: string }[] = JSON.parse(stdout).status.addresses
  return addresses.find(({ type }) => type === 'InternalIP')?.address ?? 'none'
}

async function unitWhen(name: string, isSo: (unit: Unit) => boolean, timeoutMs = 5_000): Promise<Unit> {
  const look = async () => {
    const unit = await product.admin.get(Unit, name)
    if (!isSo(unit)) throw new Error(JSON.stringify(unit.status))
    return unit
  }
  return until(look, { what: name, timeoutMs })
}

function active(unit: Unit) {
  return unit.status?.conditions?.find(({ type }) => type === 'Active')
}

const because = (reason: string) => (unit: Unit) => active(unit)?.reason === reason
const pidOf = (unit: Unit): number => unit.status?.systemd?.mainPID ?? 0
const service = (name: string, lines: string, desiredState = 'launched') =>
  JSON.stringify({
    apiVersion: 'flotilla.dev/v1',
    kind: 'Unit',
    metadata: { name },
    spec: { desiredState, content: `[Service]\n${lines}\n` },
  })

promise('get machines shows three Ready machines with useful columns', async (kubectl) => {
  const rows = await kubectl.rows('get', 'machines', '-o', 'wide')
  assert.equal(
    rows.map(({ name, ready, driver }) => [name, ready, driver]),
    ['m1', 'm2', 'm3'].map((name) => [name, 'True', 'system']),
  )
  for (const row of rows) {
    assert.match(row.address ?? '', /^10\.77\.\d+\.\d+$/)
    for (const column of ['os', 'kernel', 'machine-id', 'version', 'age']) assert.ok(row[column], column)
  }
  assert.is(new Set(rows.map((row) => row['machine-id'])).size, 3)
})

promise('get units -w shows the applied quickstart scheduled and going active', async (kubectl) => {
  await kubectl('delete', 'events', '--all', '--wait=false')
  await using watch = await kubectl.start('get', 'units', '-w')
  const created = await kubectl('apply', '-f', QUICKSTART)
  assert.is(created.match(/created/g)?.length, STARTED.length + LOADED.length)
  await watch.waitForLine(/^web\.service +launched +m\d +active +running/)
  await watch.waitForLine(/^greeter\.socket +launched +m\d +active +listening/)
  await watch.waitForLine(/^tick\.timer +launched +m\d +active +(waiting|running)/)
  await watch.waitForLine(/^worker@2\.service +launched +m\d +active +running/)
  assert.match(await kubectl('apply', '-f', QUICKSTART), /^(\S+ unchanged\n?){8}$/)
})

promise('wait --for=condition=Active comes back for everything that was started', async (kubectl) => {
  const units = STARTED.map((name) => `unit/${name}`)
  const met = await kubectl('wait', '--for=condition=Active', '--timeout=10s', ...units)
  assert.is(met.match(/condition met/g)?.length, STARTED.length)
})

promise('nothing on the way there was worth a warning', async (kubectl) => {
  assert.is(await kubectl('get', 'events', '--field-selector=type=Warning', '-o', 'name'), '')
})

promise('the web server answers on its machine', async () => {
  const answer = await fetch(`http://${await addressOf('web.service')}:8080/`)
  assert.match(await answer.text(), /hello from the fleet/)
})

promise('the timer runs its service, which is only loaded, beside it', async () => {
  const [timer, ticked] = await Promise.all(['tick.timer', 'tick.service'].map((unit) => unitWhen(unit, () => true)))
  assert.is(timer?.status?.machineName, ticked?.status?.machineName)
  const finished = () => onMachineOf('tick.service', 'journalctl -u tick.service -g Finished --no-pager -q')
  await until(finished, { what: 'a tick', timeoutMs: 10_000 })
  assert.is((await unitWhen('tick.service', () => true)).status?.currentState, 'loaded')
})

promise('the first connection to the socket starts its service, which answers', async () => {
  assert.is(pidOf(await unitWhen('greeter.service', because('Stopped'))), 0)
  const greeting = await onMachineOf('greeter.socket', 'exec bash -c "cat < /dev/tcp/127.0.0.1/9090"')
  assert.is(greeting, 'hello')
  await unitWhen('greeter.service', because('Running'))
})

promise('two instances of a template each know their own name', async () => {
  for (const instance of [1, 2]) {
    const unit = `worker@${instance}.service`
    const said = () => onMachineOf(unit, `journalctl -u ${unit} -o cat --no-pager`)
    await until(async () => (await said()).includes(`worker ${instance} is working`), { what: unit })
  }
})

promise('describe unit tells what is wanted, what is so, and what happened', async (kubectl) => {
  const shown = () => kubectl('describe', 'unit', 'web.service')
  await until(async () => /Normal +Started/.test(await shown()), { what: 'the Started event' })
  const text = await shown()
  for (const part of [/Desired State: +launched/, /Type: +Scheduled/, /Type: +Active/, /Sub State: +running/])
    assert.match(text, part)
})

promise('new content replaces the unit on its machine', async (kubectl) => {
  const before = await kubectl.given(service('echo.service', 'ExecStart=/bin/sleep 1001'), 'apply', '-f', '-')
  assert.match(before, /created/)
  const first = await unitWhen('echo.service', because('Running'))
  const changed = await kubectl.given(service('echo.service', 'ExecStart=/bin/sleep 1002'), 'apply', '-f', '-')
  assert.match(changed, /configured/)
  const second = await unitWhen('echo.service', (unit) => pidOf(unit) > 0 && pidOf(unit) !== pidOf(first))
  assert.is(second.status?.machineName, first.status?.machineName)
  assert.is.not(second.status?.hash, first.status?.hash)
  assert.match(await onMachineOf('echo.service', 'systemctl show -P ExecStart echo.service'), /sleep 1002/)
  assert.match(await onMachineOf('echo.service', `tr '\\0' ' ' < /proc/${pidOf(second)}/cmdline`), /sleep 1002/)
})

promise('a service that ends well at once is Completed', async (kubectl) => {
  await kubectl.given(service('brief.service', 'ExecStart=/bin/true'), 'apply', '-f', '-')
  assert.is((await unitWhen('brief.service', because('Completed'))).status?.systemd?.restarts, 0)
  await kubectl('delete', 'unit/brief.service')
})

promise(
  'loaded stops the unit and keeps its file, inactive takes both away, launched brings them back',
  async (kubectl) => {
    const desire = (state: string) =>
      kubectl('patch', 'unit', 'echo.service', '--type=merge', '-p', JSON.stringify({ spec: { desiredState: state } }))
    const running = await unitWhen('echo.service', because('Running'))
    const machine = running.status?.machineName ?? ''
    const load = async () => {
      const argv = ['exec', machine, '--', 'systemctl', 'show', '-P', 'LoadState,ActiveState', 'echo.service']
      return (await flotilla(argv, product)).stdout.trim().split('\n').join(' ')
    }
    await desire('loaded')
    const loaded = await unitWhen('echo.service', because('Stopped'))
    assert.is(loaded.status?.currentState, 'loaded')
    assert.is(loaded.status?.machineName, machine)
    assert.is(await load(), 'loaded inactive')
    await desire('inactive')
    const stored = await unitWhen('echo.service', ({ status }) => status?.machineName === undefined)
    assert.is(stored.status?.currentState, 'inactive')
    await until(async () => (await load()) === 'not-found inactive', { what: 'the file to go' })
    await desire('launched')
    assert.is((await unitWhen('echo.service', because('Running'))).status?.currentState, 'launched')
  },
)

promise("kill -9 of the unit's process shows the restart in its status within 2 s", async (kubectl) => {
  const before = await unitWhen('web.service', because('Running'))
  const restarts = before.status?.systemd?.restarts ?? 0
  await onMachineOf('web.service', `kill -9 ${pidOf(before)}`)
  const after = await unitWhen('web.service', (unit) => (unit.status?.systemd?.restarts ?? 0) > restarts, 2_000)
  assert.is(after.status?.systemd?.restarts, restarts + 1)
  await unitWhen('web.service', because('Running'))
  const [row] = await kubectl.rows('get', 'unit', 'web.service')
  assert.is(row?.restarts, String(restarts + 1))
})

promise("a unit that systemd refuses says why in systemd's words and disturbs no other", async (kubectl) => {
  const pids = async () => {
    const { items } = await product.admin.list(Unit, { labelSelector: 'app' })
    return items.map((unit) => [unit.metadata.name, pidOf(unit), unit.status?.systemd?.restarts])
  }
  const before = await pids()
  await kubectl.given(service('syntax.service', 'ExecStart=not/absolute'), 'apply', '-f', '-')
  await kubectl.given(service('missing.service', 'ExecStart=/no/such/program'), 'apply', '-f', '-')
  const syntax = await unitWhen('syntax.service', because('Refused'))
  assert.match(active(syntax)?.message ?? '', /absolute path.*not\/absolute/)
  const missing = await unitWhen('missing.service', because('Failed'))
  assert.match(active(missing)?.message ?? '', /\/no\/such\/program: No such file or directory/)
  for (const [unit, reason] of [['syntax', 'UnitRefused'] as const, ['missing', 'UnitFailed'] as const]) {
    const told = () => kubectl('get', 'events', `--field-selector=involvedObject.name=${unit}.service`)
    await until(async () => new RegExp(`Warning +${reason}`).test(await told()), { what: `${unit}: ${reason}` })
  }
  assert.equal(await pids(), before)
  await kubectl('delete', 'unit', 'syntax.service', 'missing.service')
})

promise('deleting a unit stops it and removes its file', async (kubectl) => {
  const { status } = await unitWhen('echo.service', because('Running'))
  const machine = status?.machineName ?? ''
  assert.match(await kubectl('delete', 'unit', 'echo.service'), /deleted/)
  const script = 'systemctl is-active echo.service; find /etc/systemd /run/systemd /var/lib/flotilla -name echo.service'
  const left = async () => (await flotilla(['exec', machine, '--', 'sh', '-c', script], product)).stdout.trim()
  await until(async () => (await left()) === 'inactive', { what: 'nothing of it to be left' })
})

promise('delete -f takes the whole quickstart away', async (kubectl) => {
  const deleted = await kubectl('delete', '-f', QUICKSTART)
  assert.is(deleted.match(/deleted/g)?.length, STARTED.length + LOADED.length)
  assert.is(await kubectl('get', 'units', '-o', 'name'), '')
})

tell(() => product.kubeconfig)
test.run()
