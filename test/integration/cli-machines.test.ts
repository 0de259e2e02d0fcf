// deadline: 60 s

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import { until } from '../support/until.ts'
import { openBreakableDoor } from './cli/breakable-door.ts'
import { startFleet, type TestFleet } from './cli/fleet.ts'
import { type Run, type RunOptions, runCommand, startCommand } from './cli/run.ts'

const test = suite('the command, with a machine')
let fleet: TestFleet

const flotilla = (args: string, options: RunOptions = {}): Promise<Run> =>
  runCommand(args.split(' '), { kubeconfig: fleet.kubeconfig, ...options })

async function apply(name: string, script: string, extra = {}): Promise<void> {
  const content = `[Service]\nExecStart=/bin/sh -c '${script}'\n`
  const unit = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: { name }, spec: { content, ...extra } }
  const { code, stderr } = await flotilla('apply -f -', { stdin: JSON.stringify(unit) })
  assert.is(code, 0, stderr)
}

function becomes(name: string, reason: string) {
  return until(
    async () => {
      const unit = await fleet.client.get(Unit, name)
      const active = unit.status?.conditions?.find(({ type }) => type === 'Active')
      return active?.reason === reason ? unit : undefined
    },
    { what: `${name} to be ${reason}`, timeoutMs: 15_000 },
  )
}

test.before(async () => {
  fleet = await startFleet()
  await fleet.startControllers()
  await fleet.startMachine('m1')
  await apply('ticks.service', 'i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done')
  await apply('broken.service', 'echo no such luck; exit 7')
  await Promise.all([becomes('ticks.service', 'Running'), becomes('broken.service', 'Failed')])
})

test.after(() => fleet.close())

test('status counts the fleet and names what is wrong with the command that looks at it', async () => {
  const { code, stdout } = await flotilla('status')
  assert.is(code, 0)
  assert.match(stdout, /^Server {4}https:\/\/127\.0\.0\.1:\d+ \(v/m)
  assert.match(stdout, /^Machines {2}1: 1 ready$/m)
  assert.match(stdout, /^Units {5}2: .*1 active/m)
  assert.match(stdout, /unit\/broken\.service: exit-code: .*status=7\n {2}flotilla why unit\/broken\.service/)
  const summary = JSON.parse((await flotilla('status -o json')).stdout)
  assert.equal(summary.machines, { total: 1, ready: 1, cordoned: 0 })
})

test('the status of a unit shows its state, machine, process and newest lines', async () => {
  await until(async () => (await flotilla('journal ticks')).stdout.split('\n').length > 3, { what: 'three lines' })
  const { stdout } = await flotilla('status ticks -n 3')
  assert.match(stdout, /^● ticks\.service$/m)
  assert.match(stdout, /Active: active \(running\) since .* ago$/m)
  assert.match(stdout, /Machine: m1$/m)
  assert.match(stdout, /Main PID: \d+$/m)
  assert.match(stdout, /(\n\w{3} \d\d \d\d:\d\d:\d\d m1 \S+: tick \d+){3}/)
  const { unit, log } = JSON.parse((await flotilla('status ticks -o json')).stdout)
  assert.is(unit.metadata.name, 'ticks.service')
  assert.ok(log.length > 0)
})

test('why tells the reason, what happened and what to do', async () => {
  const failed = await flotilla('why broken')
  assert.match(failed.stdout, /^unit\/broken\.service has failed on m1\n {2}Failed: exit-code: .*status=7\n/)
  assert.match(failed.stdout, /Next\n {2}flotilla journal broken\.service -n 50\n/)
  await until(async () => /UnitFailed/.test((await flotilla('why unit/broken.service')).stdout), { what: 'the event' })
  assert.match((await flotilla('why unit/ticks.service')).stdout, /^unit\/ticks\.service runs on m1\n/)
  assert.match((await flotilla('why machine/m1')).stdout, /^machine\/m1 is ready\n/)
  const missing = await flotilla('why nothing')
  assert.is(missing.code, 1)
  assert.is(missing.stderr, 'Error from server (NotFound): units.flotilla.dev "nothing.service" not found\n')
})

test('why names each machine that cannot take a unit', async () => {
  await apply('nowhere.service', 'true', { placement: { machineID: 'f'.repeat(32) } })
  const answer = await until(
    async () => {
      const { stdout } = await flotilla('why nowhere')
      return stdout.includes('machines can take it') ? stdout : undefined
    },
    { what: 'the scheduler to explain' },
  )
  assert.match(
    answer,
    /^unit\/nowhere\.service does not run: it is on no machine\n {2}0 of 1 machines can take it\n {4}m1: /,
  )
  assert.is((await flotilla('delete unit nowhere.service')).code, 0)
})

test('journal shows the newest lines in three forms', async () => {
  // A unit that has ended: nothing is logged between our counting and its.
  const short = await flotilla('journal broken -n 2')
  assert.match(short.stdout, /^(\w{3} \d\d \d\d:\d\d:\d\d m1 \S+: .+\n){2}$/)
  const [, message] = (await flotilla('journal broken -o cat')).stdout.split('\n')
  assert.ok(short.stdout.includes(message ?? 'no second line'))
  const [line] = (await flotilla('journal broken -n 1 -o json')).stdout.split('\n')
  assert.is(JSON.parse(line ?? '').machine, 'm1')
  assert.is((await flotilla('journal ticks --since 2100-01-01')).stdout, '')
  assert.match((await flotilla('journal ticks -n many')).stderr, /^error: -n takes a whole number or "all"/)
})

test('journal -f goes on, and Ctrl-C ends it quietly', async () => {
  const journal = startCommand(['journal', '-f', 'ticks', '-o', 'cat'], { kubeconfig: fleet.kubeconfig })
  await until(() => journal.lines().length > 20, { what: 'new lines' })
  const { code, stderr } = await journal.interrupt()
  assert.is(code, 0)
  assert.is(stderr, '')
  assertConsecutive(journal.lines())
})

function assertConsecutive(lines: readonly string[]): void {
  const numbers = lines.map((line) => Number(line.replace('tick ', '')))
  const first = numbers[0] ?? 0
  assert.equal(
    numbers,
    numbers.map((_, at) => first + at),
  )
}

test('a journal that is followed over broken connections loses no line and doubles none', async () => {
  const door = await openBreakableDoor(fleet.kubeconfig)
  const journal = startCommand(['journal', '-f', 'ticks', '-o', 'cat'], { kubeconfig: door.kubeconfig })
  for (let cuts = 0; cuts < 4; cuts++) {
    const before = journal.lines().length
    await until(() => journal.lines().length > before + 5, { what: `lines after cut ${cuts}` })
    door.cut()
  }
  const seen = journal.lines().length
  await until(() => journal.lines().length > seen + 5, { what: 'lines after the last cut' })
  assert.is((await journal.interrupt()).code, 0)
  await door.close()
  assertConsecutive(journal.lines())
})

test('a journal that is followed goes on where the unit moves, and ends with the unit', async () => {
  const second = await fleet.startMachine('m2')
  await apply('mover.service', 'while :; do echo here; sleep 0.05; done')
  const { spec } = await becomes('mover.service', 'Running')
  const [from, to] = spec.machineName === 'm1' ? ['m1', 'm2'] : ['m2', 'm1']
  const journal = startCommand(['journal', '-f', 'mover'], { kubeconfig: fleet.kubeconfig })
  await journal.see(new RegExp(` ${from} sh.*: here`))
  await fleet.client.patch(Unit, 'mover.service', { type: 'merge', body: { spec: { machineName: to } } })
  // Read from before its file was there, a log of the process driver goes by the unit's name.
  await journal.see(new RegExp(` ${to} (sh|mover).*: here`), { timeoutMs: 15_000 })
  await journal.see(new RegExp(`-- mover.service moved from ${from} to ${to} --`))
  await fleet.client.delete(Unit, 'mover.service')
  const { code, stderr } = await journal.ended
  assert.is(code, 0)
  assert.match(stderr, /-- the unit was deleted --/)
  await second.stop()
})

test('restart, kill, stop and start do what they say, and cat shows the file', async () => {
  await apply('hands.service', 'trap "echo got it" USR1; while :; do sleep 0.05; done')
  const { status } = await becomes('hands.service', 'Running')
  const pid = status?.systemd?.mainPID
  const restarted = await flotilla('restart hands')
  assert.match(restarted.stdout, new RegExp(`^hands\\.service restarted on m\\d: active .*, process ${pid} -> \\d+\n$`))
  assert.is((await flotilla('kill hands -s USR1 --kill-who main')).code, 0)
  await until(async () => (await flotilla('journal hands -o cat')).stdout.includes('got it'), { what: 'the answer' })
  assert.match((await flotilla('kill hands -s LOUD')).stderr, /there is no signal LOUD/)
  assert.match((await flotilla('cat hands')).stdout, /^# hands\.service\n\[Service\]\nExecStart=/)
  assert.is((await flotilla('stop hands')).stdout, `hands.service is loaded on ${status?.machineName}\n`)
  assert.is((await flotilla('status hands')).code, 3)
  assert.match((await flotilla('restart hands')).stderr, /is not to run .*: flotilla start hands\.service/)
  assert.is((await flotilla('start hands')).stdout, `hands.service runs on ${status?.machineName}\n`)
  const told = async () => (await flotilla('why hands')).stdout
  await until(async () => /RestartedByHand: restarted by hand, by "admin"/.test(await told()), { what: 'why to tell' })
  assert.is((await flotilla('delete unit hands.service')).code, 0)
})

test('exec passes output, errors, input and the exit code', async () => {
  const { code, stdout, stderr } = await runCommand(
    ['exec', '-i', 'm1', '--', 'sh', '-c', 'cat; echo oops >&2; exit 7'],
    { kubeconfig: fleet.kubeconfig, stdin: 'over the wire' },
  )
  assert.equal({ code, stdout, stderr }, { code: 7, stdout: 'over the wire', stderr: 'oops\n' })
  assert.is((await flotilla('exec unit/ticks.service -- true')).code, 0)
})

test('exec carries megabytes both ways unchanged', async () => {
  const text = 'All units of the fleet report.\n'.repeat(100_000)
  const { code, stdout } = await runCommand(['exec', '-i', 'm1', '--', 'cat'], {
    kubeconfig: fleet.kubeconfig,
    stdin: text,
  })
  assert.is(code, 0)
  assert.ok(stdout === text)
})

test('exec says what cannot be run, and where', async () => {
  const noCommand = await flotilla('exec m1 -- /no/such/command')
  assert.is.not(noCommand.code, 0)
  const noMachine = await flotilla('exec m9 -- true')
  assert.is(noMachine.stderr, 'Error from server (NotFound): machines.flotilla.dev "m9" not found\n')
  assert.match((await flotilla('exec m1')).stderr, /^error: say what to run, after --/)
  const terminal = await flotilla('exec -t m1 -- tty')
  assert.is(terminal.code, 0)
  assert.match(terminal.stdout, /^\/dev\/pts\/\d+\r\n$/)
})

test('Ctrl-C ends an exec and the command with it', async () => {
  const running = startCommand(['exec', 'm1', '--', 'sh', '-c', 'echo begun $$; exec sleep 300'], {
    kubeconfig: fleet.kubeconfig,
  })
  const [, pid] = await running.see(/begun (\d+)/)
  assert.is((await running.interrupt()).code, 130)
  await until(() => !isAlive(Number(pid)), { what: 'the command to end' })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    // ESRCH is the answer that was hoped for.
    return false
  }
}

test.run()
