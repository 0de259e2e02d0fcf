/**
 * What the process driver promises beyond the shared suite: nothing runs twice or is lost when its agent is killed.
 * Longer than 250 lines: every promise needs a kill of its own, and they share one kind of agent.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LogLine, ObservedUnit, UnitDriver } from '../../node-agent/units/driver.ts'
import { captureLogs } from '../../node-agent/units/process/captured-log.ts'
import { openProcessDriver } from '../../node-agent/units/process.ts'
import { startProcess } from '../support/process.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const AGENT = join(import.meta.dirname, 'units-process-agent.ts')
const SLEEPER = '[Service]\nExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=50ms\n'
const log = pino({ level: 'warn' })
const test = suite('process driver')

function openIn(dir: string): Promise<UnitDriver> {
  return openProcessDriver({ unitDir: join(dir, 'units'), runDir: join(dir, 'run'), logDir: join(dir, 'logs'), log })
}

async function look(driver: UnitDriver, name = 'a.service'): Promise<ObservedUnit> {
  const unit = (await driver.observe([name])).get(name)
  if (!unit) throw new Error(`observe says nothing of ${name}`)
  return unit
}

function seen(driver: UnitDriver, activeState: string): Promise<ObservedUnit> {
  const found = async () => {
    const unit = await look(driver)
    if (unit.activeState !== activeState) throw new Error(`${unit.activeState}/${unit.subState} ${unit.result}`)
    return unit
  }
  return until(found, { what: `a.service to be ${activeState}` }) as Promise<ObservedUnit>
}

async function run(driver: UnitDriver, content: string): Promise<void> {
  assert.equal(await driver.install([{ name: 'a.service', content }]), [{ name: 'a.service' }])
  assert.equal(await driver.start(['a.service']), [{ name: 'a.service' }])
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}

/** Every living process whose environment says that it belongs to a service of ours. */
function carriers(marker: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && readQuietly(`/proc/${entry}/environ`).includes(marker))
    .map(Number)
    .filter(isAlive)
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // gone, or not ours to read
  }
}

async function readAll(driver: UnitDriver, options: { lines?: number } = {}): Promise<string[]> {
  const lines: LogLine[] = []
  for await (const line of driver.journal('a.service', { ...options, signal: AbortSignal.timeout(5000) }))
    lines.push(line)
  return lines.map(({ message }) => message)
}

async function agentIn(dir: string, content: string) {
  const driver = await openIn(dir)
  await driver.install([{ name: 'a.service', content }])
  await driver.close()
  const agent = await startProcess([process.execPath, '--import', 'tsx/esm', AGENT, dir])
  await agent.waitForLine(/all active/)
  return agent
}

test('a killed agent leaves its services running, and the next one takes them over', async () => {
  const dir = tempDir()
  const marker = `CRASH_TEST=${dir}`
  const agent = await agentIn(dir, `${SLEEPER}Environment=${marker}\n`)
  const [before] = carriers(marker)
  await agent.crash()
  assert.equal(carriers(marker), [before])
  const driver = await openIn(dir)
  const unit = await seen(driver, 'active')
  assert.is(unit.mainPID, before)
  process.kill(unit.mainPID, 'SIGKILL')
  await until(async () => ![0, before].includes((await look(driver)).mainPID), { what: 'the restart', timeoutMs: 1000 })
  assert.is(carriers(marker).length, 1)
  await driver.close({ stopUnits: true })
  assert.equal(carriers(marker), [])
})

test('a service that died while no agent lived is started again as Restart= says', async () => {
  const dir = tempDir()
  const marker = `CRASH_TEST=${dir}`
  const agent = await agentIn(dir, `${SLEEPER}Environment=${marker}\n`)
  await agent.crash()
  for (const pid of carriers(marker)) process.kill(pid, 'SIGKILL')
  await until(() => carriers(marker).length === 0, { what: 'the service to be dead' })
  const driver = await openIn(dir)
  await until(async () => isAlive((await seen(driver, 'active')).mainPID), { what: 'the restart' })
  assert.is(carriers(marker).length, 1)
  await driver.close({ stopUnits: true })
})

test('a process that was started but not yet written down is found by its invocation, not started twice', async () => {
  const dir = tempDir()
  const marker = `CRASH_TEST=${dir}`
  const agent = await agentIn(dir, `${SLEEPER}Environment=${marker}\n`)
  await agent.crash()
  const path = join(dir, 'run/a.service.json')
  const record = JSON.parse(readFileSync(path, 'utf8')) as { state: object }
  const unwritten = { activeState: 'activating', subState: 'start', mainPID: 0, mainStartTicks: 0 }
  writeFileSync(path, JSON.stringify({ ...record, state: { ...record.state, ...unwritten } }))
  const [before] = carriers(marker)
  const driver = await openIn(dir)
  assert.is((await seen(driver, 'active')).mainPID, before)
  assert.equal(carriers(marker), [before])
  await driver.close({ stopUnits: true })
})

test('a oneshot that remains active is not run again by the next agent', async () => {
  const dir = tempDir()
  const once = `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo ran >>${dir}/ran'\n`
  const agent = await agentIn(dir, once)
  await agent.crash()
  const driver = await openIn(dir)
  assert.is((await seen(driver, 'active')).subState, 'exited')
  assert.is(readFileSync(join(dir, 'ran'), 'utf8'), 'ran\n')
  await driver.close({ stopUnits: true })
})

test('two agents never supervise the same services', async () => {
  const dir = tempDir()
  const agent = await agentIn(dir, SLEEPER)
  const refused = await openIn(dir).then(() => '', String)
  assert.match(refused, /supervises these services already/)
  await agent.crash()
  await (await openIn(dir)).close({ stopUnits: true })
})

test('what a service wrote while no agent lived is in its journal', async () => {
  const dir = tempDir()
  const gate = join(dir, 'gate')
  const waits = `[Service]\nExecStart=/bin/sh -c 'echo before; while [ ! -e ${gate} ]; do sleep 0.02; done; echo after; sleep 1000'\n`
  const agent = await agentIn(dir, waits)
  await agent.crash()
  writeFileSync(gate, '')
  await until(() => readQuietly(join(dir, 'logs/a.service.log')).includes('after'), { what: 'the service to write' })
  const driver = await openIn(dir)
  assert.equal(await readAll(driver), ['before', 'after'])
  await driver.close({ stopUnits: true })
})

test('stopping reaches processes that left the session, and closing with stopUnits leaves no file', async () => {
  const dir = tempDir()
  const marker = `STRAY_TEST=${dir}`
  const driver = await openIn(dir)
  await run(
    driver,
    `[Service]\nEnvironment=${marker}\nExecStart=/bin/sh -c 'setsid sleep 1000 & setsid sleep 1000 & sleep 1000'\n`,
  )
  await until(() => carriers(marker).length === 4, { what: 'all its processes' })
  await driver.close({ stopUnits: true })
  assert.equal(carriers(marker), [])
  assert.equal(
    ['units', 'run', 'logs'].flatMap((folder) => readdirSync(join(dir, folder))),
    [],
  )
})

test('starts and stops in quick succession never leave a second process', async () => {
  const dir = tempDir()
  const marker = `QUICK_TEST=${dir}`
  const driver = await openIn(dir)
  // Starts by hand count against the start limit, as in systemd.
  await run(driver, `[Unit]\nStartLimitIntervalSec=0\n${SLEEPER}Environment=${marker}\n`)
  for (let round = 0; round < 20; round++) {
    await driver.restart(['a.service'])
    if (round % 3 === 0) await driver.stop(['a.service'])
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(carriers(marker).length <= 1)
  }
  await driver.restart(['a.service'])
  await seen(driver, 'active')
  await until(() => carriers(marker).length === 1, { what: 'one process' })
  await driver.close({ stopUnits: true })
  assert.equal(carriers(marker), [])
})

test('the commands around the main one run in their order, with what they may know', async () => {
  const dir = tempDir()
  const driver = await openIn(dir)
  const content = `[Service]
ExecStartPre=-/bin/false
ExecStartPre=/bin/echo pre
ExecStart=/bin/sh -c 'echo main; sleep 1000'
ExecStartPost=/bin/echo post
ExecStop=/bin/sh -c 'echo stop \${MAINPID:+with a pid}'
ExecStopPost=/bin/sh -c 'echo "stop-post $$SERVICE_RESULT"'
`
  await run(driver, content)
  await seen(driver, 'active')
  await until(async () => (await readAll(driver)).includes('main'), { what: 'the main process to speak' })
  await driver.stop(['a.service'])
  await seen(driver, 'inactive')
  const spoken = (await readAll(driver)).filter((line) => /^(pre|main|post|stop)/.test(line))
  assert.equal(spoken.toSorted(), ['main', 'post', 'pre', 'stop with a pid', 'stop-post success'])
  assert.is(spoken[0], 'pre')
  assert.is(spoken.at(-1), 'stop-post success')
  await driver.close({ stopUnits: true })
})

test('a failing ExecStartPre is the reason why a service does not start', async () => {
  const driver = await openIn(tempDir())
  await run(driver, "[Service]\nExecStartPre=/bin/sh -c 'exit 3'\nExecStart=/bin/sleep 1000\n")
  await seen(driver, 'failed')
  assert.match(await driver.explain('a.service'), /exit-code: status 3; \/bin\/sh exited, status=3/)
  await driver.close({ stopUnits: true })
})

test("a service gets its own environment and limits, not the agent's", async () => {
  const dir = tempDir()
  const driver = await openIn(dir)
  writeFileSync(join(dir, 'env'), 'FROM_FILE="a b"\n')
  process.env.AGENT_SECRET = 'not for services'
  const content = `[Service]
Environment="HERE=x y" "UNIT=%n"
EnvironmentFile=${dir}/env
EnvironmentFile=-${dir}/none
WorkingDirectory=${dir}
UMask=0077
LimitNOFILE=123
ExecStart=/bin/sh -c 'env; pwd; umask; ulimit -n; sleep 1000'
`
  await run(driver, content)
  await until(async () => (await readAll(driver)).includes('123'), { what: 'its limit' })
  const lines = await readAll(driver)
  for (const line of ['HERE=x y', 'UNIT=a.service', 'FROM_FILE=a b', dir, '0077']) assert.ok(lines.includes(line), line)
  assert.not(lines.some((line) => line.startsWith('AGENT_SECRET')))
  await driver.close({ stopUnits: true })
})

test('a log past its bound is cut, keeps its newest lines, and positions stay true', async () => {
  const dir = tempDir()
  const logs = captureLogs(dir, [], 1000)
  const path = join(dir, 'a.service.log')
  const read = async (options: { lines?: number; after?: string } = {}) => {
    const lines: LogLine[] = []
    for await (const line of logs.read('a.service', 'a', { ...options, signal: AbortSignal.timeout(5000) }))
      lines.push(line)
    return lines
  }
  const wave = async (from: number) => {
    for (let index = from; index < from + 50; index++) appendFileSync(path, `line number ${index} of many\n`)
    return read()
  }
  const first = await wave(0)
  const fortieth = first[40]?.cursor ?? ''
  assert.is(first.length, 50)
  await wave(50)
  const third = await wave(100)
  assert.is(third.at(-1)?.message, 'line number 149 of many')
  assert.ok(third.length < 150)
  assert.equal(
    (await read({ lines: 3 })).map(({ message }) => message.split(' ')[2]),
    ['147', '148', '149'],
  )
  assert.is((await read({ after: fortieth }))[0]?.message, third[0]?.message)
  assert.is((await read({ after: third.at(-2)?.cursor ?? '' }))[0]?.message, 'line number 149 of many')
  logs.close()
})

const asRoot = suiteOf('process driver as root', { needs: ['root'] })

asRoot('User= and Group= are taken on, and an unknown user is status 217', async () => {
  const driver = await openIn(tempDir())
  await run(driver, "[Service]\nUser=nobody\nExecStart=/bin/sh -c 'id -un; echo $HOME; sleep 1000'\n")
  await until(async () => (await readAll(driver)).includes('nobody'), { what: 'its own word for it' })
  await driver.remove(['a.service'])
  await run(driver, '[Service]\nUser=no-such-user\nExecStart=/bin/sleep 1000\n')
  const unit = await seen(driver, 'failed')
  assert.equal([unit.result, unit.exitStatus], ['exit-code', 217])
  assert.match(await driver.explain('a.service'), /217\/USER.*no-such-user/)
  await driver.close({ stopUnits: true })
})

test.run()
asRoot.run()
