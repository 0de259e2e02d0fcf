// heavy, deadline: 120 s
/** What people do to units without SSH, on three machines with systemds and journals of their own. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import { startProcess } from '../support/process.ts'
import { BUNDLE, flotilla, type Product, startFlotilla, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const test = suiteOf('reach without SSH', { needs: ['lab'] })
const MEGABYTE = 1024 * 1024
let product: Product

const FLOOD_LINES = 100_000
const UNITS: Readonly<Record<string, object>> = {
  'everywhere.service': { placement: { global: true }, content: loop('echo tick $$i') },
  'web@.service': { replicas: 3, content: `${loop('echo web %i $$i')}` },
  'flood.service': {
    desiredState: 'loaded',
    machineName: 'm1',
    content: `[Service]\nType=oneshot\nExecStart=/usr/bin/seq -f "line %%.0f" 1 ${FLOOD_LINES}\n`,
  },
  'careful.service': {
    content: '[Service]\nExecStart=/bin/sh -c \'trap "echo got it" USR1; while :; do sleep 0.1; done\'\n',
  },
  'nightly.timer': {
    placement: { machineOf: ['careful.service'] },
    content: '[Timer]\nOnCalendar=daily\nUnit=careful.service\n',
  },
}

function loop(command: string): string {
  return `[Service]\nExecStart=/bin/sh -c 'i=0; while :; do i=$$((i+1)); ${command}; sleep 0.1; done'\n`
}

test.before(async () => {
  product = await startProduct(['up', '--machines', '3'])
  const metadata = (name: string) => ({ name })
  await Promise.all(
    Object.entries(UNITS).map(([name, spec]) =>
      product.admin.create(Unit, { apiVersion: Unit.apiVersion, kind: 'Unit', metadata: metadata(name), spec } as Unit),
    ),
  )
  const isUp = async (name: string) => (await flotilla(['status', name], product)).code === 0
  for (const name of ['everywhere.service', 'web@.service', 'careful.service', 'nightly.timer'])
    await until(() => isUp(name), { what: `${name} to be active`, timeoutMs: 20_000 })
})

test.after(async () => {
  await product?.stop()
})

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await flotilla(args, product)
  if (code !== 0) throw new Error(`flotilla ${args.join(' ')} exited with ${code}: ${stderr}${stdout}`)
  return stdout
}

test('a global and a replicated unit are one journal, by time, with machines and instances', async () => {
  const lines = (await run('journal', 'everywhere.service', 'web@.service', '-n', '60', '-o', 'json'))
    .trim()
    .split('\n')
  const entries = lines.map((line) => JSON.parse(line))
  assert.is(entries.length, 60)
  const times = entries.map(({ timestampUs }) => timestampUs)
  assert.equal(times, times.toSorted())
  const sources = new Set(entries.map(({ machine, unit }) => `${machine} ${unit}`))
  for (const machine of ['m1', 'm2', 'm3']) assert.ok(sources.has(`${machine} everywhere.${machine}.service`))
  for (const at of [1, 2, 3]) assert.ok([...sources].some((source) => source.endsWith(`web@${at}.service`)))
  assert.match(
    await run('journal', 'web@.service', '-n', '5'),
    /^(\w{3} \d\d [\d:]{8} m\d web@\d\.service sh\[\d+\]: web \d \d+\n){5}$/,
  )
})

test("a machine's whole journal has its agent's lines and its units'", async () => {
  const text = await run('journal', 'machine/m2')
  assert.match(text, / m2 systemd\[1\]: /)
  assert.match(text, / m2 sh\[\d+\]: tick \d+/)
  assert.match(text, / m2 systemd\[1\]: Started flotilla-agent\.service/)
})

test('an instance that vanishes is let go, one that comes is read', async () => {
  await using journal = await startFlotilla(['journal', 'web@.service', '-f'], product.kubeconfig)
  await journal.waitForLine(/web@3\.service sh/)
  await product.admin.patch(Unit, 'web@.service', { type: 'merge', body: { spec: { replicas: 2 } } })
  await journal.waitForLine(/-- web@3\.service is gone --/)
  await product.admin.patch(Unit, 'web@.service', { type: 'merge', body: { spec: { replicas: 4 } } })
  await journal.waitForLine(/web@4\.service sh.*: web 4 1$/)
})

test('an agent that is killed in mid-follow costs no line and doubles none', async () => {
  await using journal = await startFlotilla(['journal', 'everywhere.m2.service', '-f', '-o', 'cat'], product.kubeconfig)
  await journal.waitForLine(/^tick \d+/)
  await run('exec', 'm2', '--', 'systemctl', 'kill', '--signal=KILL', 'flotilla-agent.service').catch(() => undefined)
  const seen = journal.lines.length
  await until(() => journal.lines.length > seen + 30, { what: 'lines after the kill', timeoutMs: 15_000 })
  assertConsecutive(journal.lines.filter((line) => line.startsWith('tick ')))
})

function assertConsecutive(lines: readonly string[]): void {
  const numbers = lines.map((line) => Number(line.replace(/\D+/, '')))
  const first = numbers[0] ?? 0
  assert.equal(
    numbers,
    numbers.map((_, at) => first + at),
  )
}

test('a hundred thousand lines arrive complete and in order, and a slow reader costs no memory', async () => {
  // The machines of the lab keep 32 MB of journal, which is less than these lines are.
  const more = 'printf "[Journal]\\nSystemMaxUse=400M\\n" > /etc/systemd/journald.conf.d/20-test.conf'
  await run('exec', 'm1', '--', 'sh', '-c', `${more}; systemctl restart systemd-journald`)
  await run('start', 'flood.service')
  // The program ends before journald has read all that it wrote.
  const isWhole = async () => (await run('journal', 'flood.service', '-n', '5')).includes(`line ${FLOOD_LINES}`)
  await until(isWhole, { what: 'the last line in the journal', timeoutMs: 30_000 })
  const file = join(product.dataDir, 'stalled')
  const command = `exec "${process.execPath}" "${BUNDLE}" journal flood.service -o cat > "${file}"`
  const stalled = await startProcess(['sh', '-c', command], { env: { KUBECONFIG: product.kubeconfig } })
  await until(() => statSync(file, { throwIfNoEntry: false })?.size, { what: 'its first lines' })
  process.kill(stalled.pid, 'SIGSTOP')
  try {
    const before = await memories()
    await readFlood()
    const after = await memories()
    for (const [at, what] of ['server', 'agent'].entries())
      assert.ok((after[at] ?? 0) - (before[at] ?? 0) < 96 * MEGABYTE, `${what}: ${before[at]} -> ${after[at]} bytes`)
  } finally {
    process.kill(stalled.pid, 'SIGCONT')
  }
  assert.is((await stalled.exited).code, 0)
  assert.is(readFileSync(file, 'utf8').match(/^line \d+$/gm)?.length, FLOOD_LINES)
})

/** Ten thousand a second, or a quarter of what journalctl itself does on a box that is busy with other things. */
async function readFlood(): Promise<void> {
  const [plain] = await timed(() =>
    run('exec', 'm1', '--', 'journalctl', '--unit=flood.service', '--output=json', '--quiet'),
  )
  const [rate, text] = await timed(() => run('journal', 'flood.service', '-o', 'cat'))
  const lines = text.split('\n').filter((line) => line.startsWith('line '))
  assert.is(lines.length, FLOOD_LINES)
  assert.ok(lines.every((line, at) => line === `line ${at + 1}`))
  console.log(`  ${rate} lines/s; journalctl through exec: ${plain} lines/s`)
  assert.ok(rate >= Math.min(10_000, plain / 4), `${rate} lines/s, journalctl ${plain}`)
}

async function timed(work: () => Promise<string>): Promise<[number, string]> {
  const begun = performance.now()
  const text = await work()
  return [Math.round((FLOOD_LINES / (performance.now() - begun)) * 1_000), text]
}

/** Resident bytes of the server and of the agent on m1. */
async function memories(): Promise<number[]> {
  const agent = await run(
    'exec',
    'm1',
    '--',
    'sh',
    '-c',
    'cat /proc/$(systemctl show -P MainPID flotilla-agent)/status',
  )
  return [readFileSync(`/proc/${product.process.pid}/status`, 'utf8'), agent].map(
    (text) => Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) * 1024,
  )
}

test('exec -it is a terminal: its size, its changes, Ctrl-C, the exit code', async () => {
  const remote = 'tty; stty size; read x; stty size; sleep 100; exit 5'
  const client = `exec "${process.execPath}" "${BUNDLE}" exec -it m2 -- bash -c "trap : INT; ${remote}"`
  const env = { ...process.env, KUBECONFIG: product.kubeconfig, SHELL: '/bin/sh' }
  const session = spawn('script', ['-qefc', `tty; stty rows 31 cols 97; ${client}`, '/dev/null'], { env })
  let text = ''
  session.stdout.on('data', (chunk) => {
    text += chunk
  })
  const see = (pattern: RegExp) =>
    until(() => pattern.exec(text), { what: `the terminal to show ${pattern}`, timeoutMs: 15_000 })
  const [, local = ''] = await see(/^(\/dev\/pts\/\d+)\r\n\/dev\/pts\/\d+\s+31 97\s/)
  spawnSync('stty', ['-F', local, 'rows', '40', 'cols', '111'])
  const resized = async () =>
    (await run('exec', 'm2', '--', 'sh', '-c', 'for t in /dev/pts/[0-9]*; do stty -F $t size; done')).includes('40 111')
  await until(resized, { what: 'the new size' })
  session.stdin.write('go\r')
  await see(/go\s+40 111\s/)
  session.stdin.write('\u0003')
  const [code] = await once(session, 'exit')
  assert.is(code, 5)
})

test('cat prints file and name, without asking the machine', async () => {
  assert.is(await run('cat', 'nightly.timer'), '# nightly.timer\n[Timer]\nOnCalendar=daily\nUnit=careful.service\n')
})

test('restart gives a new process and says so; why tells who it was', async () => {
  const pidOf = async () =>
    (await run('exec', 'unit/careful.service', '--', 'systemctl', 'show', '-P', 'MainPID', 'careful.service')).trim()
  const before = await pidOf()
  assert.match(
    await run('restart', 'careful'),
    new RegExp(`restarted on m\\d: active \\(running\\), process ${before} -> \\d+\n`),
  )
  assert.is.not(await pidOf(), before)
  await until(async () => /RestartedByHand: restarted by hand, by "admin"/.test(await run('why', 'careful')), {
    what: 'why to tell',
  })
})

test('a set is restarted one instance after another', async () => {
  const told = (await run('restart', 'web@.service')).trim().split('\n')
  assert.equal(
    told.map((line) => line.split(' ')[0]),
    ['web@1.service', 'web@2.service', 'web@3.service', 'web@4.service'],
  )
})

test('kill -s reaches the main process', async () => {
  await run('kill', '-s', 'USR1', '--kill-who', 'main', 'careful')
  await until(async () => (await run('journal', 'careful', '-o', 'cat')).includes('got it'), { what: 'the answer' })
})

test('status reads as systemctl does, and exits with 3 for what does not run', async () => {
  const service = await run('status', 'careful')
  assert.match(service, /^● careful\.service\n {4}Machine: m\d\n {4}Desired: launched\n {5}Loaded: loaded \(/)
  assert.match(service, /Active: active \(running\) since .*; .* ago\n/)
  assert.match(service, / {3}Main PID: \d+ \(sh\)\n/)
  assert.match(service, /CGroup: \/system\.slice\/careful\.service\n/)
  assert.match(await run('status', 'nightly.timer'), /Active: active \(waiting\) since/)
  assert.match(
    await run('status', 'web@.service'),
    /^● web@\.service: a set, 4 replicas\n.*\n {2}Instances: 4 of 4 ready, 4 active\n/,
  )
  const down = await flotilla(['status', 'flood.service'], product)
  assert.is(down.code, 3)
})

test.run()
