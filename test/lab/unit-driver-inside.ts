/**
 * Runs inside a machine: the shared suite against its systemd, and what only a real systemd can show. The one argument
 * says which manager, over which socket. Longer than other files because it is one program, run inside as one bundle.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Unit } from '../../crds/unit.ts'
import { DriverUnavailableError, type UnitDriver } from '../../node-agent/units/driver.ts'
import { LIMITS_DROP_IN } from '../../node-agent/units/limits/limits-drop-in.ts'
import { openUnitDriver } from '../../node-agent/units/open.ts'
import { renderUnit } from '../../node-agent/units/render/render-unit.ts'
import { noSources } from '../../node-agent/units/sources/none.ts'
import { openSystemdDriver } from '../../node-agent/units/systemd.ts'
import { SLEEPER, type UnitDriverRig, unitDriverSuite } from '../suites/unit-driver-suite.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/until.ts'

const WAYS = {
  system: { kind: 'system', address: { socketPath: '/run/dbus/system_bus_socket', isBus: true } },
  'user-bus': { kind: 'user', address: { socketPath: '/run/user/0/bus', isBus: true } },
  'user-private': { kind: 'user', address: { socketPath: '/run/user/0/systemd/private', isBus: false } },
} as const

const NO_START_LIMIT = '[Unit]\nStartLimitIntervalSec=0\n'
/** Enough for a race to show, where there is one. */
const SOCKET_ROUNDS = 10

const way = (process.argv[2] ?? 'system') as keyof typeof WAYS
const { kind, address } = WAYS[way]
const unitDir = `/var/lib/flotilla-${way}/agent/units`
const log = pino({ level: 'error' })
const runtimeLinks = kind === 'system' ? '/run/systemd/system' : '/run/user/0/systemd/user'
const openDriver = () => openSystemdDriver({ kind, unitDir, log, address, stopDeadlineMs: 2000 })

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false // ESRCH: that is the answer
  }
}

async function open(): Promise<UnitDriverRig> {
  let driver = await openDriver()
  return {
    driver,
    isAlive,
    kill: (pid, signal) => process.kill(pid, signal),
    async reopen() {
      await driver.close()
      driver = await openDriver()
      return driver
    },
  }
}

function manager(...args: string[]): string {
  const scope = kind === 'user' ? ['--user'] : []
  return execFileSync('systemctl', [...scope, ...args], {
    encoding: 'utf8',
    env: { ...process.env, XDG_RUNTIME_DIR: '/run/user/0' },
  })
}

async function withDriver(work: (driver: UnitDriver) => Promise<void>): Promise<void> {
  const driver = await openDriver()
  try {
    await work(driver)
  } finally {
    await driver.close({ stopUnits: true })
  }
}

async function isActive(driver: UnitDriver, name: string): Promise<boolean> {
  return (await driver.observe([name])).get(name)?.activeState === 'active'
}

function countReloads(work: () => Promise<unknown>): Promise<number> {
  const count = () => Number(manager('show', '--property=UnitsLoadTimestampMonotonic', '--value') || 0)
  const before = count()
  return work().then(() => (count() === before ? 0 : 1))
}

const dump = `/run/environment-${way}`

/** Whatever systemd's syntax gives a meaning to, alone and at random. */
function unitOfOddValues() {
  const random = seeded(6)
  const parts = [
    '%',
    '%i',
    '%%',
    '$HOME',
    '$',
    '{A}',
    '"',
    "'",
    '\\',
    '\\x41',
    '\n',
    '\t',
    ' ',
    '  ',
    '#',
    ';',
    '=',
    'é',
    '🚢',
    'a',
  ]
  const mixed = () => Array.from({ length: random.below(12) }, () => random.pick(parts)).join('')
  const values = ['', ...parts, ...Array.from({ length: 200 }, mixed), 'x'.repeat(60_000)]
  const environment = values.map((value, index) => ({ name: `ODD_${index}`, value }))
  const content = `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/cat /proc/self/environ\nStandardOutput=truncate:${dump}\n`
  const unit: Unit = {
    apiVersion: 'flotilla.dev/v1',
    kind: 'Unit',
    metadata: { name: 'odd.service' },
    spec: { content, environment, desiredState: 'launched', failover: 'none' },
  }
  return { unit, environment }
}

const test = suite(`unit driver: systemd itself (${way})`)

test('links lie where a reboot removes them, and installing again brings them back', () =>
  withDriver(async (driver) => {
    await driver.install([{ name: 'a.service', content: SLEEPER }])
    assert.ok(lstatSync(`${runtimeLinks}/a.service`).isSymbolicLink())
    rmSync(`${runtimeLinks}/a.service`)
    manager('daemon-reload')
    await driver.install([{ name: 'a.service', content: SLEEPER }])
    assert.equal(await driver.start(['a.service']), [{ name: 'a.service' }])
    await until(() => isActive(driver, 'a.service'), { what: 'a.service to run' })
  }))

test('nothing is left after removal: no link, no file, no enablement', () =>
  withDriver(async (driver) => {
    const content = `${SLEEPER}[Install]\nWantedBy=default.target\nAlias=other.service\n`
    await driver.install([{ name: 'a.service', content }])
    assert.ok(existsSync(`${runtimeLinks}/default.target.wants/a.service`))
    await driver.start(['a.service'])
    await driver.remove(['a.service'])
    assert.not(existsSync(`${runtimeLinks}/default.target.wants/a.service`))
    assert.equal(
      readdirSync(runtimeLinks).filter((name) => /^(a|other)\.service$/.test(name)),
      [],
    )
    assert.equal(readdirSync(unitDir), [])
  }))

test('an install section that cannot be followed is refused in words', () =>
  withDriver(async (driver) => {
    const [bad] = await driver.install([
      { name: 'a.service', content: `${SLEEPER}[Install]\nAlias=wrong-type.socket\n` },
    ])
    assert.match(bad?.refused ?? '', /wrong-type\.socket|Invalid/)
  }))

test('a unit that the machine defines itself is not taken over in silence', () =>
  withDriver(async (driver) => {
    const own = kind === 'system' ? '/etc/systemd/system' : join(homedir(), '.config/systemd/user')
    mkdirSync(own, { recursive: true })
    writeFileSync(`${own}/host-own.service`, SLEEPER)
    try {
      const [outcome] = await driver.install([{ name: 'host-own.service', content: SLEEPER }])
      assert.match(outcome?.refused ?? '', /host-own\.service/)
      assert.not((await driver.installed()).has('host-own.service'))
    } finally {
      rmSync(`${own}/host-own.service`)
    }
  }))

test("removing a name that was not installed leaves the machine's own unit alone", () =>
  withDriver(async (driver) => {
    const before = manager('show', '--property=MainPID', '--value', 'dbus.service')
    await driver.remove(['dbus.service'])
    assert.is(manager('show', '--property=MainPID', '--value', 'dbus.service'), before)
  }))

test('new files cost no reload, a changed file of a loaded unit costs one', () =>
  withDriver(async (driver) => {
    const install = (extra: string) => driver.install([{ name: 'a.service', content: SLEEPER + extra }])
    assert.is(await countReloads(() => install('')), 0)
    await driver.start(['a.service'])
    assert.is(await countReloads(() => install('')), 0)
    assert.is(await countReloads(() => install('Restart=always\n')), 1)
  }))

test('links that [Install] made go with the content that asked for them; those of an Also= stay', () =>
  withDriver(async (driver) => {
    const a = (lines: string) => ({ name: 'a.service', content: `${SLEEPER}[Install]\n${lines}` })
    await driver.install([
      { name: 'b.service', content: `${SLEEPER}[Install]\nWantedBy=b.target\n` },
      a('WantedBy=a.target\nAlias=other.service\nAlso=b.service\n'),
    ])
    await driver.install([a('WantedBy=c.target\n')])
    assert.not(existsSync(`${runtimeLinks}/a.target.wants`))
    assert.not(existsSync(`${runtimeLinks}/other.service`))
    assert.ok(existsSync(`${runtimeLinks}/c.target.wants/a.service`))
    await driver.install([a('Also=b.service\n')])
    await driver.remove(['a.service'])
    assert.not(existsSync(`${runtimeLinks}/c.target.wants`))
    assert.ok(lstatSync(`${runtimeLinks}/b.service`).isSymbolicLink())
    assert.ok(lstatSync(`${runtimeLinks}/b.target.wants/b.service`).isSymbolicLink())
  }))

test('an install section that cannot be followed leaves the file and the links that were there', () =>
  withDriver(async (driver) => {
    const good = { name: 'a.service', content: `${SLEEPER}[Install]\nWantedBy=a.target\n` }
    await driver.install([good])
    const [bad] = await driver.install([
      { name: 'a.service', content: `${SLEEPER}[Install]\nAlias=wrong-type.socket\n` },
    ])
    assert.match(bad?.refused ?? '', /wrong-type\.socket|Invalid/)
    assert.equal((await driver.installed()).get('a.service'), good)
    assert.ok(existsSync(`${runtimeLinks}/a.target.wants/a.service`))
  }))

test('a service and its socket start in one call, and the socket restarts with its service each time', () =>
  withDriver(async (driver) => {
    await driver.install([
      { name: 'a.service', content: `${NO_START_LIMIT}${SLEEPER}` },
      { name: 'a.socket', content: `${NO_START_LIMIT}[Socket]\nListenStream=/run/user/0/a.sock\nRemoveOnStop=yes\n` },
    ])
    assert.equal(await driver.start(['a.service', 'a.socket']), [{ name: 'a.service' }, { name: 'a.socket' }])
    const both = async () => (await isActive(driver, 'a.service')) && (await isActive(driver, 'a.socket'))
    await until(both, { what: 'both to run' })
    const pidOf = async () => (await driver.observe(['a.service'])).get('a.service')?.mainPID ?? 0
    for (let round = 0; round < SOCKET_ROUNDS; round++) {
      const before = await pidOf()
      await driver.restart(['a.socket'])
      const isNew = async () => ![0, before].includes(await pidOf())
      await until(isNew, { what: `another process in round ${round}` })
      await until(both, { what: `both to run in round ${round}` })
    }
  }))

test('a unit type that this manager cannot start is told by its job', () =>
  withDriver(async (driver) => {
    if (readFileSync('/proc/filesystems', 'utf8').includes('autofs') && existsSync('/dev/autofs')) return
    await driver.install([
      { name: 'srv-x.mount', content: '[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/srv/x\n' },
      { name: 'srv-x.automount', content: '[Automount]\nWhere=/srv/x\n' },
    ])
    await driver.start(['srv-x.automount'])
    const told = async () =>
      (await driver.observe(['srv-x.automount'])).get('srv-x.automount')?.jobResult === 'unsupported'
    await until(told, { what: "the job's end" })
    assert.match(await driver.explain('srv-x.automount'), /not supported on this machine/)
  }))

test('limits are possible where the kernel gives this manager the means, and refused in words elsewhere', () =>
  withDriver(async (driver) => {
    const dropIns = [{ name: LIMITS_DROP_IN, content: '[Service]\nCPUQuota=50%\n' }]
    const refused = driver.unsupported({ name: 'a.service', content: SLEEPER, dropIns })
    const own = manager('show', '--property=ControlGroup', '--value').trim()
    const isDelegated = existsSync(`/sys/fs/cgroup${own}/cgroup.controllers`)
    if (kind === 'system' || isDelegated) assert.is(refused, undefined)
    else assert.match(refused ?? '', /CPUQuota= cannot be enforced here: .*the cpu controller/)
  }))

test('a unit that does not stop is killed when the patience of remove is over', () =>
  withDriver(async (driver) => {
    const stubborn = `[Service]\nExecStart=/bin/sh -c 'trap "" TERM; sleep 1000 & wait; sleep 1000'\nTimeoutStopSec=60\n`
    await driver.install([{ name: 'a.service', content: stubborn }])
    await driver.start(['a.service'])
    await until(() => isActive(driver, 'a.service'), { what: 'a.service to run' })
    await driver.remove(['a.service'])
    assert.is((await driver.observe(['a.service'])).get('a.service')?.loadState, 'not-found')
  }))

test("a drop-in is a link where a reboot removes it, goes with its unit, and leaves a person's own alone", () =>
  withDriver(async (driver) => {
    const folder = `${runtimeLinks}/a.service.d`
    const dropIns = [{ name: '10-a.conf', content: '[Unit]\nDescription=of the drop-in\n' }]
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/own.conf`, '[Unit]\nDocumentation=man:own\n')
    await driver.install([{ name: 'a.service', content: SLEEPER, dropIns }])
    assert.ok(lstatSync(`${folder}/10-a.conf`).isSymbolicLink())
    assert.is(manager('show', '--property=Description', '--value', 'a.service').trim(), 'of the drop-in')
    await driver.remove(['a.service'])
    assert.equal(readdirSync(folder), ['own.conf'])
    rmSync(folder, { recursive: true })
    await driver.install([{ name: 'a.service', content: SLEEPER, dropIns }])
    await driver.remove(['a.service'])
    assert.not(existsSync(folder))
    assert.equal(readdirSync(unitDir), [])
  }))

test('drop-ins cost a reload only when they change under a loaded unit', () =>
  withDriver(async (driver) => {
    const install = (text: string) =>
      driver.install([{ name: 'a.service', content: SLEEPER, dropIns: [{ name: 'a.conf', content: text }] }])
    assert.is(await countReloads(() => install('[Unit]\nDescription=1\n')), 0)
    await driver.start(['a.service'])
    assert.is(await countReloads(() => install('[Unit]\nDescription=1\n')), 0)
    assert.is(await countReloads(() => install('[Unit]\nDescription=2\n')), 1)
  }))

test('a process sees every value of its environment exactly as it was written', () =>
  withDriver(async (driver) => {
    const { unit, environment } = unitOfOddValues()
    assert.equal(await driver.install([renderUnit(unit, noSources(''))]), [{ name: 'odd.service' }])
    await driver.start(['odd.service'])
    const hasEnded = async () => (await driver.observe(['odd.service'])).get('odd.service')?.activeState === 'active'
    await until(hasEnded, { what: 'the environment to be written' })
    const seen = readFileSync(dump, 'utf8').split('\0')
    for (const { name, value } of environment) assert.ok(seen.includes(`${name}=${value}`), JSON.stringify(value))
  }))

test('units of other types are observed by what their interface has', () =>
  withDriver(async (driver) => {
    await driver.install([
      { name: 'a.service', content: '[Service]\nType=oneshot\nExecStart=/bin/true\n' },
      { name: 'a.timer', content: '[Timer]\nOnActiveSec=1h\n' },
      { name: 'a.target', content: '[Unit]\nDescription=none\n' },
    ])
    await driver.start(['a.timer', 'a.target'])
    const all = await until(
      async () => {
        const units = await driver.observe(['a.timer', 'a.target'])
        return [...units.values()].every(({ activeState }) => activeState === 'active') && units
      },
      { what: 'timer and target' },
    )
    assert.equal([all.get('a.timer')?.result, all.get('a.target')?.result], ['success', ''])
  }))

test('the driver chosen by itself says why', async () => {
  const { driver, reason } = await openUnitDriver({ kind: 'auto', dataDir: `/var/lib/flotilla-${way}`, log })
  assert.is(driver.kind, 'system')
  assert.match(reason, /root/)
  await driver.close()
})

if (way === 'system') {
  test('when the bus dies, calls say so, and the driver comes back by itself and asks to look at everything', () =>
    withDriver(async (driver) => {
      await driver.install([{ name: 'a.service', content: `${SLEEPER}Restart=always\n` }])
      await driver.start(['a.service'])
      const stopping = new AbortController()
      const hints = driver.changes(stopping.signal)[Symbol.asyncIterator]()
      await hints.next()
      execFileSync('systemctl', ['kill', '--signal=KILL', 'dbus.service'])
      while (!((await hints.next()).value ?? ['']).includes(''));
      stopping.abort()
      await until(() => isActive(driver, 'a.service'), { what: 'the unit to be seen again' })
      assert.equal(await driver.restart(['a.service']), [{ name: 'a.service' }])
    }))

  test('a re-executed systemd is still understood', () =>
    withDriver(async (driver) => {
      await driver.install([{ name: 'a.service', content: SLEEPER }])
      execFileSync('systemctl', ['daemon-reexec'])
      const start = async () => (await driver.start(['a.service'])).every(({ refused }) => refused === undefined)
      await until(start, { what: 'the start to be taken' })
      await until(() => isActive(driver, 'a.service'), { what: 'a.service to run' })
    }))
}

test('no systemd at the socket is said within the deadline', async () => {
  const nowhere = { socketPath: '/run/no-such-socket', isBus: true }
  const error = await openSystemdDriver({ kind, unitDir, log, address: nowhere, connectTimeoutMs: 200 }).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  assert.instance(error, DriverUnavailableError)
})

unitDriverSuite(`systemd (${way})`, { open })
test.run()
