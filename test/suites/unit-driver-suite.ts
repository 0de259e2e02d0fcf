/**
 * What every unit driver promises, told by real units. Run by the fake, the process driver and systemd. Longer than other
 * files because it is one list of promises, in the order in which a unit lives.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { LogLine, ObservedUnit, UnitDriver, UnitFile } from '../../node-agent/units/driver.ts'
import { type Requirement, suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'
import { reachTests } from './unit-driver-reach.ts'

export interface UnitDriverRig {
  readonly driver: UnitDriver
  kill(pid: number, signal: NodeJS.Signals): void
  /** Whether the process exists: outside of what the driver says. */
  isAlive(pid: number): boolean
  /** Closes the driver, leaving units running, and opens it again; absent where nothing can outlive the driver. */
  reopen?(): Promise<UnitDriver>
}

export interface UnitDriverSuiteOptions {
  readonly needs?: readonly Requirement[]
  readonly open: () => Promise<UnitDriverRig>
}

/** journald looks up who wrote a line after it was written: a user's process that is gone by then is nobody's. */
const LINGER = 'sleep 0.2'

function oneshot(command: string): string {
  return `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=${command}\n`
}

export const SLEEPER = '[Service]\nExecStart=/bin/sleep infinity\n'

export function unitDriverSuite(name: string, { needs = [], open }: UnitDriverSuiteOptions): void {
  const test = suiteOf<{ rig: UnitDriverRig }>(`unit driver: ${name}`, { needs, context: {} as { rig: UnitDriverRig } })
  test.before.each(async (context) => {
    context.rig = await open()
  })
  test.after.each(({ rig }) => rig.driver.close({ stopUnits: true }))
  startTests(test)
  shapeTests(test)
  dropInTests(test)
  failureTests(test)
  refusalTests(test)
  stubbornTests(test)
  persistenceTests(test)
  removalTests(test)
  observationTests(test)
  journalTests(test)
  reachTests(test)
  test.run()
}

type Suite = ReturnType<typeof suiteOf<{ rig: UnitDriverRig }>>

async function look(driver: UnitDriver, name: string): Promise<ObservedUnit> {
  const unit = (await driver.observe([name])).get(name)
  assert.ok(unit, `observe says nothing of ${name}`)
  return unit as ObservedUnit
}

async function put(driver: UnitDriver, name: string, content: string): Promise<void> {
  assert.equal(await driver.install([{ name, content }]), [{ name }])
}

async function launch(driver: UnitDriver, name: string, content: string): Promise<ObservedUnit> {
  await put(driver, name, content)
  assert.equal(await driver.start([name]), [{ name }])
  return seen(driver, name, 'active')
}

function seen(driver: UnitDriver, name: string, activeState: string, timeoutMs = 5000): Promise<ObservedUnit> {
  const what = `${name} to be ${activeState}`
  return until(
    async () => {
      const unit = await look(driver, name)
      if (unit.activeState !== activeState) throw new Error(`${unit.activeState}/${unit.subState} ${unit.result}`)
      return unit
    },
    { what, timeoutMs },
  ) as Promise<ObservedUnit>
}

function startTests(test: Suite): void {
  test('an installed unit is loaded and does not run until it is started', async ({ rig: { driver } }) => {
    await put(driver, 'a.service', SLEEPER)
    const { loadState, activeState, mainPID } = await look(driver, 'a.service')
    assert.equal([loadState, activeState, mainPID], ['loaded', 'inactive', 0])
    assert.equal([...(await driver.installed()).values()], [{ name: 'a.service', content: SLEEPER }])
  })

  test('a started service is active with a living main process', async ({ rig }) => {
    const before = Date.now() * 1000
    const unit = await launch(rig.driver, 'a.service', SLEEPER)
    assert.equal([unit.loadState, unit.subState, unit.result, unit.restarts], ['loaded', 'running', 'success', 0])
    assert.ok(rig.isAlive(unit.mainPID))
    assert.ok(unit.activeEnterTimestampUs > before - 1_000_000)
  })

  test('starting what runs leaves its process alone, and so does installing the same file', async ({
    rig: { driver },
  }) => {
    const { mainPID } = await launch(driver, 'a.service', SLEEPER)
    await put(driver, 'a.service', SLEEPER)
    assert.equal(await driver.start(['a.service']), [{ name: 'a.service' }])
    assert.is((await look(driver, 'a.service')).mainPID, mainPID)
  })

  test('a stopped service is inactive and its process is gone; stopping it again is fine', async ({ rig }) => {
    const { mainPID } = await launch(rig.driver, 'a.service', SLEEPER)
    assert.equal(await rig.driver.stop(['a.service']), [{ name: 'a.service' }])
    await seen(rig.driver, 'a.service', 'inactive')
    assert.not(rig.isAlive(mainPID))
    assert.equal(await rig.driver.stop(['a.service']), [{ name: 'a.service' }])
  })

  test('a restart replaces the process, and starts what does not run', async ({ rig: { driver } }) => {
    const { mainPID } = await launch(driver, 'a.service', SLEEPER)
    assert.equal(await driver.restart(['a.service']), [{ name: 'a.service' }])
    await until(async () => ![0, mainPID].includes((await look(driver, 'a.service')).mainPID), {
      what: 'another process',
    })
    await driver.stop(['a.service'])
    await seen(driver, 'a.service', 'inactive')
    await driver.restart(['a.service'])
    await seen(driver, 'a.service', 'active')
  })
}

function shapeTests(test: Suite): void {
  test('changed content counts from the next restart', async ({ rig: { driver } }) => {
    const { mainPID } = await launch(driver, 'a.service', SLEEPER)
    const changed = '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n'
    await put(driver, 'a.service', changed)
    assert.is((await look(driver, 'a.service')).mainPID, mainPID)
    await driver.restart(['a.service'])
    await until(async () => (await look(driver, 'a.service')).subState === 'exited', { what: 'the new content to run' })
    assert.is((await driver.installed()).get('a.service')?.content, changed)
  })

  test('a oneshot that remains is active without a process', async ({ rig: { driver } }) => {
    const unit = await launch(
      driver,
      'a.service',
      '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStart=/bin/true\n',
    )
    assert.equal([unit.subState, unit.mainPID, unit.result], ['exited', 0, 'success'])
  })

  test('an instance and a name with escapes are units like others, and see their names', async ({
    rig: { driver },
  }) => {
    const names = ['web@7.service', 'a\\x2db@c\\x2dd.service']
    for (const name of names) {
      await launch(driver, name, oneshot(`/bin/sh -c 'echo "I am %i"; ${LINGER}'`))
    }
    assert.ok(await untilLine(driver, 'web@7.service', 'I am 7'))
    assert.ok(await untilLine(driver, 'a\\x2db@c\\x2dd.service', 'I am c\\x2dd'))
  })

  test('67 units are taken in one call each', async ({ rig: { driver } }) => {
    const names = Array.from({ length: 67 }, (_, index) => `n${index}.service`)
    await driver.install(names.map((name) => ({ name, content: SLEEPER })))
    await driver.start(names)
    const all = async () =>
      [...(await driver.observe(names)).values()].every(({ activeState }) => activeState === 'active')
    await until(all, { what: '67 active units', timeoutMs: 10_000 })
  })
}

/** What each text says when it is the one that counts. */
function says(word: string): string {
  return `[Service]\nExecStart=\nExecStart=/bin/sh -c 'echo says ${word}; ${LINGER}'\n`
}

function dropInTests(test: Suite): void {
  const base = (word: string) => `${says(word)}Type=oneshot\nRemainAfterExit=yes\n`

  test('drop-ins override the file, the last name wins, and all are told as installed', async ({ rig: { driver } }) => {
    const name = freshName()
    const dropIns = [
      { name: '20-b.conf', content: says('twenty') },
      { name: '10-a.conf', content: says('ten') },
    ]
    assert.equal(await driver.install([{ name, content: base('file'), dropIns }]), [{ name }])
    await driver.start([name])
    await untilLine(driver, name, 'says twenty')
    assert.equal((await driver.installed()).get(name), { name, content: base('file'), dropIns: dropIns.toReversed() })
  })

  test('a drop-in changed or taken away under a running unit counts from the next restart', async ({
    rig: { driver },
  }) => {
    const name = freshName()
    const content = base('file')
    const next = async (dropIns: UnitFile['dropIns'], line: string) => {
      assert.equal(await driver.install([{ name, content, ...(dropIns && { dropIns }) }]), [{ name }])
      assert.equal(await driver.restart([name]), [{ name }])
      await untilLine(driver, name, line)
    }
    await next([{ name: 'a.conf', content: says('one') }], 'says one')
    await next([{ name: 'a.conf', content: says('two') }], 'says two')
    await next([{ name: 'b.conf', content: says('three') }], 'says three')
    await next(undefined, 'says file')
    assert.equal((await driver.installed()).get(name), { name, content })
  })

  test('drop-ins go with their unit', async ({ rig: { driver } }) => {
    const name = freshName()
    await driver.install([{ name, content: base('old'), dropIns: [{ name: 'a.conf', content: says('drop-in') }] }])
    await driver.remove([name])
    await launch(driver, name, base('new'))
    assert.match((await untilLine(driver, name, 'says new')).message, 'new')
  })

  test('a drop-in whose name leads elsewhere is refused', async ({ rig: { driver } }) => {
    for (const wrong of ['../../evil.conf', '.hidden.conf', 'a', 'a b.conf', '']) {
      const dropIns = [{ name: wrong, content: says('evil') }]
      const [outcome] = await driver.install([{ name: 'a.service', content: SLEEPER, dropIns }])
      assert.match(outcome?.refused ?? '', 'is not the name of a drop-in')
    }
    assert.is((await driver.installed()).size, 0)
  })
}

function failureTests(test: Suite): void {
  test('a killed service with Restart=always is seen and runs again within a second', async ({ rig }) => {
    const { mainPID } = await launch(rig.driver, 'a.service', `${SLEEPER}Restart=always\nRestartSec=100ms\n`)
    const stopping = new AbortController()
    const hint = nextHint(rig.driver, 'a.service', stopping.signal)
    await delay(20)
    rig.kill(mainPID, 'SIGKILL')
    await hint
    const again = await until(
      async () => {
        const unit = await look(rig.driver, 'a.service')
        return unit.activeState === 'active' && unit.mainPID !== mainPID && unit
      },
      { what: 'the restart', timeoutMs: 1000 },
    )
    stopping.abort()
    assert.is((again as ObservedUnit).restarts, 1)
  })

  test('a killed service that is not to restart has failed by the signal', async ({ rig }) => {
    const { mainPID } = await launch(rig.driver, 'a.service', SLEEPER)
    rig.kill(mainPID, 'SIGKILL')
    const unit = await seen(rig.driver, 'a.service', 'failed')
    assert.equal([unit.result, unit.exitStatus, unit.mainPID], ['signal', 9, 0])
  })

  test('a missing program is exit status 203, and the explanation names it and the reason', async ({
    rig: { driver },
  }) => {
    await put(driver, 'a.service', '[Service]\nExecStart=/no/such --option\n')
    await driver.start(['a.service'])
    const unit = await seen(driver, 'a.service', 'failed')
    assert.equal([unit.result, unit.exitStatus], ['exit-code', 203])
    assert.match(await driver.explain('a.service'), /203\/EXEC.*\/no\/such: No such file or directory/s)
  })

  test('a program that fails has failed with its exit status; started again it is tried again', async ({
    rig: { driver },
  }) => {
    await put(driver, 'a.service', "[Service]\nExecStart=/bin/sh -c 'exit 7'\n")
    await driver.start(['a.service'])
    const unit = await seen(driver, 'a.service', 'failed')
    assert.equal([unit.result, unit.exitStatus, unit.subState], ['exit-code', 7, 'failed'])
    assert.match(await driver.explain('a.service'), /status 7/)
    assert.equal(await driver.start(['a.service']), [{ name: 'a.service' }])
  })

  test('a service that fails over and over is given up as start-limit-hit', async ({ rig: { driver } }) => {
    await put(driver, 'a.service', '[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=0\n')
    await driver.start(['a.service'])
    const unit = await seen(driver, 'a.service', 'failed')
    assert.is(unit.restarts, 5)
    assert.match(await driver.explain('a.service'), /repeated too quickly/)
  })
}

function refusalTests(test: Suite): void {
  test('a bad unit is refused in words and does not hide that a good one was taken', async ({ rig: { driver } }) => {
    const files = [
      { name: 'bad.service', content: '[Service]\nRestart=always\n' },
      { name: 'good.service', content: SLEEPER },
    ]
    await driver.install(files)
    const [bad, good] = await driver.start(['bad.service', 'good.service'])
    assert.match(bad?.refused ?? '', 'Unit bad.service has a bad unit file setting.')
    assert.equal(good, { name: 'good.service' })
    assert.is((await look(driver, 'bad.service')).loadState, 'bad-setting')
    assert.match(await driver.explain('bad.service'), /no ExecStart=/)
    await seen(driver, 'good.service', 'active')
  })

  test('a file that would not be loaded does not replace the one that is there', async ({ rig: { driver } }) => {
    const { mainPID } = await launch(driver, 'a.service', SLEEPER)
    const bad = { name: 'a.service', content: `${SLEEPER}ExecStart=/bin/true\n` }
    const [refused, other] = await driver.install([bad, { name: 'b.service', content: SLEEPER }])
    assert.match(refused?.refused ?? '', /a\.service has a bad unit file setting.*ExecStart=/)
    assert.equal(other, { name: 'b.service' })
    assert.is((await driver.installed()).get('a.service')?.content, SLEEPER)
    const { loadState, mainPID: after } = await look(driver, 'a.service')
    assert.equal([loadState, after], ['loaded', mainPID])
    await put(driver, 'a.service', `${SLEEPER}Restart=always\n`)
  })

  test('a corrected unit starts', async ({ rig: { driver } }) => {
    await put(driver, 'a.service', '[Service]\nRestart=always\n')
    assert.ok((await driver.start(['a.service']))[0]?.refused)
    await launch(driver, 'a.service', SLEEPER)
  })
}

function stubbornTests(test: Suite): void {
  test('what ignores the request to stop is killed when its time is over, and has failed by timeout', async ({
    rig,
  }) => {
    const name = freshName()
    const stubborn = `[Service]\nExecStart=/bin/sh -c 'trap "" TERM; echo deaf; sleep 1000'\nTimeoutStopSec=300ms\n`
    const { mainPID } = await launch(rig.driver, name, stubborn)
    await untilLine(rig.driver, name, 'deaf')
    await rig.driver.stop([name])
    const unit = await seen(rig.driver, name, 'failed')
    assert.is(unit.result, 'timeout')
    assert.not(rig.isAlive(mainPID))
  })
}

function persistenceTests(test: Suite): void {
  test('units live on when the driver is closed and the next one finds them as they were', async ({ rig }) => {
    if (!rig.reopen) return
    const before = await launch(rig.driver, 'a.service', `${SLEEPER}Restart=always\nRestartSec=100ms\n`)
    const driver = await rig.reopen()
    const after = await seen(driver, 'a.service', 'active')
    assert.is(after.mainPID, before.mainPID)
    assert.ok(rig.isAlive(before.mainPID))
    rig.kill(after.mainPID, 'SIGKILL')
    await until(async () => ![0, before.mainPID].includes((await look(driver, 'a.service')).mainPID), {
      what: 'the restart',
    })
    await driver.close({ stopUnits: true })
    assert.not(rig.isAlive(before.mainPID))
  })
}

function removalTests(test: Suite): void {
  test('a removed unit is stopped when the call returns, and forgotten', async ({ rig }) => {
    const { mainPID } = await launch(rig.driver, 'a.service', SLEEPER)
    assert.equal(await rig.driver.remove(['a.service']), [{ name: 'a.service' }])
    assert.not(rig.isAlive(mainPID))
    assert.is((await look(rig.driver, 'a.service')).loadState, 'not-found')
    assert.is((await rig.driver.installed()).size, 0)
    assert.ok((await rig.driver.start(['a.service']))[0]?.refused)
  })

  test('a failed unit is removed with its failure', async ({ rig: { driver } }) => {
    await put(driver, 'a.service', '[Service]\nExecStart=/bin/false\n')
    await driver.start(['a.service'])
    await seen(driver, 'a.service', 'failed')
    await driver.remove(['a.service'])
    assert.equal([(await look(driver, 'a.service')).loadState, await driver.explain('a.service')], ['not-found', ''])
    await put(driver, 'a.service', SLEEPER)
    assert.is((await look(driver, 'a.service')).activeState, 'inactive')
  })

  test('removing what was never installed is fine, and so is removing a template', async ({ rig: { driver } }) => {
    await put(driver, 't@.service', SLEEPER)
    assert.equal(await driver.remove(['never.service', 't@.service']), [
      { name: 'never.service' },
      { name: 't@.service' },
    ])
    assert.is((await driver.installed()).size, 0)
  })

  test('closing with stopUnits leaves nothing', async ({ rig }) => {
    const { mainPID } = await launch(rig.driver, 'a.service', SLEEPER)
    await rig.driver.close({ stopUnits: true })
    assert.not(rig.isAlive(mainPID))
    assert.is((await rig.driver.installed()).size, 0)
  })
}

function observationTests(test: Suite): void {
  test('unknown, hostile and template names are not found and spoil nothing', async ({ rig: { driver } }) => {
    await launch(driver, 'a.service', SLEEPER)
    await put(driver, 't@.service', SLEEPER)
    const odd = ['nobody.service', '../../etc/passwd', 't@.service', '', 'no-type', 'a b.service']
    const units = await driver.observe(['a.service', ...odd])
    assert.is(units.get('a.service')?.activeState, 'active')
    assert.equal(
      odd.map((name) => units.get(name)?.loadState),
      odd.map(() => 'not-found'),
    )
    const outcomes = await driver.install([{ name: '../evil.service', content: SLEEPER }])
    assert.ok(outcomes[0]?.refused)
    assert.ok((await driver.start(['t@.service']))[0]?.refused)
  })

  test('the first hint says to look at everything; later ones name what changed', async ({ rig: { driver } }) => {
    const stopping = new AbortController()
    const hints = driver.changes(stopping.signal)[Symbol.asyncIterator]()
    assert.equal((await hints.next()).value, [''])
    await put(driver, 'a.service', SLEEPER)
    await driver.start(['a.service'])
    const names = new Set<string>()
    while (!names.has('a.service')) for (const hint of (await hints.next()).value ?? []) names.add(hint)
    stopping.abort()
    while (!(await hints.next()).done);
  })

  test('a well unit needs no explanation', async ({ rig: { driver } }) => {
    await launch(driver, 'a.service', SLEEPER)
    assert.is(await driver.explain('a.service'), '')
    assert.is(await driver.explain('nobody.service'), '')
  })
}

function journalTests(test: Suite): void {
  const talker = oneshot(`/bin/sh -c 'echo one; echo two; echo three; ${LINGER}'`)

  test('the journal has what a unit wrote, in order, and reading goes on after a cursor', async ({
    rig: { driver },
  }) => {
    const talkerName = freshName()
    const before = Date.now() * 1000
    await launch(driver, talkerName, talker)
    const three = await untilLine(driver, talkerName, 'three')
    const lines = await readAll(driver, talkerName)
    const spoken = lines.filter(({ message }) => ['one', 'two', 'three'].includes(message))
    assert.equal(
      spoken.map(({ message }) => message),
      ['one', 'two', 'three'],
    )
    assert.ok(Math.abs(three.timestampUs - before) < 10_000_000)
    const rest = await readAll(driver, talkerName, { after: spoken[0]?.cursor ?? '' })
    assert.equal(
      rest.map(({ message }) => message).filter((message) => /^(one|two|three)$/.test(message)),
      ['two', 'three'],
    )
    assert.is((await readAll(driver, talkerName, { lines: 1 })).length, 1)
  })

  test('a follower gets lines as they are written, and ends when it is told to', async ({ rig: { driver } }) => {
    const talkerName = freshName()
    const stopping = new AbortController()
    await put(driver, talkerName, talker)
    const following = firstLine(driver, talkerName, 'three', stopping)
    await delay(50)
    await driver.start([talkerName])
    assert.is((await following).message, 'three')
  })
}

/** A journal outlives units: what an earlier unit of the same name wrote is still there. */
function freshName(): string {
  return `talker-${randomUUID()}.service`
}

async function readAll(
  driver: UnitDriver,
  name: string,
  options: { after?: string; lines?: number } = {},
): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for await (const line of driver.journal(name, { ...options, signal: AbortSignal.timeout(5000) })) lines.push(line)
  return lines
}

function untilLine(driver: UnitDriver, name: string, message: string): Promise<LogLine> {
  const find = async () => (await readAll(driver, name)).find((line) => line.message === message)
  return until(find, { what: `'${message}' in the journal of ${name}` })
}

async function firstLine(
  driver: UnitDriver,
  name: string,
  message: string,
  stopping: AbortController,
): Promise<LogLine> {
  const timer = setTimeout(() => stopping.abort(), 5000)
  let found: LogLine | undefined
  for await (const line of driver.journal(name, { follow: true, signal: stopping.signal })) {
    if (line.message !== message) continue
    found = line
    stopping.abort()
  }
  clearTimeout(timer)
  assert.ok(found, `'${message}' was not followed`)
  return found as LogLine
}

async function nextHint(driver: UnitDriver, name: string, signal: AbortSignal): Promise<void> {
  for await (const names of driver.changes(signal)) if (names.includes(name)) return
}
