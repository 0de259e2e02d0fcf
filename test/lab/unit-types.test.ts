// deadline: 60 s
// Longer than other files because it is one story on one machine: a second file would cost another start of it.
/** Every type of systemd unit on a real machine: what its status says, what new content does to it, limits and [Install]. */
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import { runProcess } from '../support/process.ts'
import { type Product, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { firstProcessOf, tracesOf } from '../support/traces.ts'
import { until } from '../support/until.ts'

type Spec = Partial<Unit['spec']> & { readonly content: string }

const SLEEPER = '[Service]\nExecStart=/bin/sleep infinity\n'
const MIB = 1024 * 1024
const RUNTIME = '/run/systemd/system'

const test = suiteOf('unit types', { needs: ['lab'] })
let product: Product
let machinePid: number | undefined

test.before(async () => {
  product = await startProduct(['up', '--machines', '1'])
  machinePid = await firstProcessOf(product.dataDir, 'm1')
  assert.ok(machinePid, 'm1 runs')
})

test.after(async () => {
  if (product === undefined) return // it never became ready, which is told already
  assert.is((await product.stop()).code, 0)
  assert.equal(await tracesOf(product.dataDir), [])
})

function apply(name: string, spec: Spec): Promise<Unit> {
  return product.admin.create(Unit, { metadata: { name }, spec })
}

function change(name: string, spec: Record<string, unknown>): Promise<Unit> {
  return product.admin.patch(Unit, name, { type: 'merge', body: { spec } })
}

async function remove(...names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => product.admin.delete(Unit, name)))
  const left = async () =>
    (await product.admin.list(Unit)).items.every(({ metadata }) => !names.includes(metadata.name))
  await until(left, { what: `${names.join(', ')} to go` })
}

function active({ metadata, status }: Unit) {
  const condition = status?.conditions?.find(({ type }) => type === 'Active')
  return condition?.observedGeneration === metadata.generation ? condition : undefined
}

/** The unit once its Active condition speaks of the present spec, with this reason. */
function unitWhen(name: string, reason: string, isSo: (unit: Unit) => boolean = () => true): Promise<Unit> {
  const look = async () => {
    const unit = await product.admin.get(Unit, name)
    if (active(unit)?.reason !== reason || !isSo(unit)) throw new Error(JSON.stringify(unit.status))
    return unit
  }
  return until(look, { what: `${name} to be ${reason}`, timeoutMs: 8_000 })
}

const messageOf = (unit: Unit): string => active(unit)?.message ?? ''
const pidOf = ({ status }: Unit): number => status?.systemd?.mainPID ?? 0
const sub = ({ status }: Unit): string => `${status?.systemd?.activeState}/${status?.systemd?.subState}`

/** In the machine's namespaces without the way through its agent, which costs a process of ours each time. */
async function inside(script: string): Promise<string> {
  const argv = ['nsenter', '--all', `--target=${machinePid}`, '--wd=/', 'sh', '-c', script]
  return (await runProcess(argv, { timeoutMs: 10_000 })).stdout.trim()
}

function show(unit: string, property: string): Promise<string> {
  return inside(`systemctl show -P ${property} '${unit}'`)
}

/** What the kernel enforces for the unit's cgroup: v1 or v2, as the machine has it. */
async function enforced(unit: string): Promise<{ cpu: string; memory: number; tasks: number }> {
  const group = await show(unit, 'ControlGroup')
  const files = ['memory.limit_in_bytes memory.max', 'pids.max', 'cpu.cfs_quota_us cpu.max']
  const paths = files.map((names) =>
    names.split(' ').flatMap((file) => [`/sys/fs/cgroup/*${group}/${file}`, `/sys/fs/cgroup${group}/${file}`]),
  )
  const script = paths.map((some) => `cat ${some.join(' ')} 2>/dev/null | head -1`).join('; ')
  const [memory, tasks, quota] = (await inside(script)).split('\n')
  return { cpu: quota?.split(' ')[0] ?? '', memory: Number(memory), tasks: Number(tasks) }
}

test('sockets, timers, paths, mounts, slices and targets are Active in the words of their type', async () => {
  const units: Readonly<Record<string, Spec>> = {
    'door.service': { content: SLEEPER, desiredState: 'loaded' },
    'door.socket': { content: '[Socket]\nListenStream=9101\n' },
    'tick.service': { content: '[Service]\nType=oneshot\nExecStart=/bin/true\n', desiredState: 'loaded' },
    'tick.timer': { content: '[Timer]\nOnActiveSec=1h\n' },
    'drop.service': {
      content: '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/rm /run/drop\n',
      desiredState: 'loaded',
    },
    'drop.path': { content: '[Path]\nPathExists=/run/drop\n' },
    'srv-disk.mount': { content: '[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/srv/disk\nOptions=size=1M\n' },
    'cell.slice': { content: '[Slice]\nTasksMax=40\n' },
    'celled.service': { content: `${SLEEPER}Slice=cell.slice\n` },
    'set.target': { content: '[Unit]\nWants=wanted.service\n' },
  }
  await apply('wanted.service', { content: SLEEPER, desiredState: 'loaded' })
  await unitWhen('wanted.service', 'Stopped')
  await Promise.all(Object.entries(units).map(([name, spec]) => apply(name, spec)))
  const expected = {
    'door.socket': 'active/listening',
    'tick.timer': 'active/waiting',
    'drop.path': 'active/waiting',
    'srv-disk.mount': 'active/mounted',
    'cell.slice': 'active/active',
    'celled.service': 'active/running',
    'set.target': 'active/active',
    'wanted.service': 'active/running',
  }
  for (const [name, state] of Object.entries(expected)) assert.is(sub(await unitWhen(name, 'Running')), state, name)
  assert.match(await inside('grep /srv/disk /proc/mounts'), /tmpfs.*size=1024k/)
  assert.is(await show('celled.service', 'ControlGroup'), '/cell.slice/celled.service')
  assert.is((await product.admin.get(Unit, 'wanted.service')).status?.currentState, 'loaded')
})

test('a path starts its service when the file comes', async () => {
  await inside('touch /run/drop')
  await unitWhen('drop.service', 'Completed', ({ status }) => status?.systemd?.subState === 'exited')
  assert.is(await inside('ls /run/drop 2>/dev/null'), '')
})

test('what the machine cannot do at all is told in systemd’s words, or done', async () => {
  await inside('dd if=/dev/zero of=/srv/swapfile bs=1M count=4 && chmod 600 /srv/swapfile && mkswap /srv/swapfile')
  await Promise.all([
    apply('srv-swapfile.swap', { content: '[Swap]\nWhat=/srv/swapfile\n' }),
    apply('srv-auto.mount', { content: '[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/srv/auto\n', desiredState: 'loaded' }),
    apply('srv-auto.automount', { content: '[Automount]\nWhere=/srv/auto\n' }),
    apply('srv-none.mount', { content: '[Mount]\nWhat=/dev/no-such\nType=ext4\nWhere=/srv/none\n' }),
  ])
  for (const name of ['srv-swapfile.swap', 'srv-auto.automount']) {
    const verdict = await until(
      async () => {
        const unit = await product.admin.get(Unit, name)
        const said = active(unit)
        return (said?.status === 'True' || said?.reason === 'Failed') && said
      },
      { what: `a verdict about ${name}` },
    )
    if (verdict && verdict.status === 'False') assert.match(verdict.message ?? '', /not supported.*unsupported/, name)
  }
  assert.match(messageOf(await unitWhen('srv-none.mount', 'Failed')), /\/dev\/no-such does not exist/)
  await remove('srv-swapfile.swap', 'srv-auto.automount', 'srv-auto.mount', 'srv-none.mount')
})

test('types that no file can make are not supported, in a sentence', async () => {
  const names = ['made.scope', 'old.snapshot', 'old.busname']
  await Promise.all(names.map((name) => apply(name, { content: '[Unit]\nDescription=nothing\n' })))
  assert.match(messageOf(await unitWhen('made.scope', 'NotSupported')), /cannot be made from a file/)
  assert.match(messageOf(await unitWhen('old.snapshot', 'NotSupported')), /gone from systemd/)
  assert.match(messageOf(await unitWhen('old.busname', 'NotSupported')), /gone from systemd/)
  await remove(...names)
})

test('content that systemd would not load leaves what runs alone, and the condition says why', async () => {
  await apply('web.service', { content: SLEEPER })
  const before = await unitWhen('web.service', 'Running')
  await change('web.service', { content: `${SLEEPER}ExecStart=/bin/true\n` })
  const refused = await unitWhen('web.service', 'Refused')
  assert.match(messageOf(refused), /web\.service has a bad unit file setting.*more than one ExecStart=/)
  assert.match(messageOf(refused), new RegExp(`runs on as it was as process ${pidOf(before)}`))
  assert.equal([pidOf(refused), refused.status?.hash], [pidOf(before), before.status?.hash])
  assert.is(await show('web.service', 'MainPID'), String(pidOf(before)))
  const candidates = () => inside('ls -A /var/lib/flotilla/agent/units | grep verify')
  await until(async () => (await candidates()) === '', { what: 'the candidate to be gone' })
})

test('the old content again is not a restart, and a good one replaces it', async () => {
  const pid = await show('web.service', 'MainPID')
  await change('web.service', { content: SLEEPER })
  assert.is(String(pidOf(await unitWhen('web.service', 'Running'))), pid)
  await change('web.service', { content: `${SLEEPER}Bogus=1\n` })
  await unitWhen('web.service', 'Running', (unit) => ![0, Number(pid)].includes(pidOf(unit)))
})

test('a bad drop-in, and a bad socket beside a good service, are refused alike', async () => {
  const pid = pidOf(await unitWhen('web.service', 'Running'))
  await change('web.service', { dropIns: [{ name: 'bad.conf', content: '[Service]\nType=oneshot\nRestart=always\n' }] })
  assert.match(messageOf(await unitWhen('web.service', 'Refused')), /Type=oneshot/)
  await change('door.socket', { content: '[Socket]\nBacklog=5\n' })
  assert.match(messageOf(await unitWhen('door.socket', 'Refused')), /no Listen setting/)
  assert.is(await show('door.socket', 'SubState'), 'listening')
  await change('web.service', { dropIns: null })
  assert.is(pidOf(await unitWhen('web.service', 'Running')), pid)
})

test('limits are in force at once, without a restart, and stay after a daemon-reload', async () => {
  const pid = pidOf(await unitWhen('web.service', 'Running'))
  const limits = { cpu: '500m', memory: '64Mi', tasks: 30 }
  await change('web.service', { resources: { limits } })
  const strict = { cpu: '50000', memory: 64 * MIB, tasks: 30 }
  const isStrict = async () => assert.equal(await enforced('web.service'), strict) === undefined
  await until(isStrict, { what: 'the limits in the cgroup' })
  await inside('systemctl daemon-reload')
  assert.equal(await enforced('web.service'), strict)
  assert.is(pidOf(await unitWhen('web.service', 'Running')), pid)
})

test('a changed limit changes, one that is taken away leaves what the content says', async () => {
  const pid = pidOf(await unitWhen('web.service', 'Running'))
  await change('web.service', { resources: { limits: { cpu: 2, memory: null } } })
  await until(async () => (await enforced('web.service')).memory > 64 * MIB, { what: 'memory to be free again' })
  const { cpu, tasks } = await enforced('web.service')
  assert.equal([cpu, tasks], ['200000', 30])
  await change('web.service', { resources: null })
  await until(async () => (await enforced('web.service')).tasks !== 30, { what: 'tasks to be free again' })
  assert.is((await show('web.service', 'DropInPaths')).includes('flotilla'), false)
  assert.is(pidOf(await unitWhen('web.service', 'Running')), pid)
})

test('limits of a slice hold for what is in it, and nothing in it stops', async () => {
  const pid = pidOf(await unitWhen('celled.service', 'Running'))
  await change('cell.slice', { resources: { limits: { memory: '128Mi' } } })
  await until(async () => (await enforced('cell.slice')).memory === 128 * MIB, { what: "the slice's limit" })
  await change('cell.slice', { content: '[Slice]\nTasksMax=20\n' })
  await until(async () => (await enforced('cell.slice')).tasks === 20, { what: "the slice's new content" })
  assert.is(pidOf(await unitWhen('celled.service', 'Running')), pid)
})

test('a limited unit is limited from its first moment, and a timer can have no limits', async () => {
  await apply('small.service', { content: SLEEPER, resources: { limits: { tasks: 7 } } })
  await unitWhen('small.service', 'Running')
  assert.is((await enforced('small.service')).tasks, 7)
  const refused = await change('tick.timer', { resources: { limits: { tasks: 7 } } }).catch((error: Error) => error)
  assert.match(String(refused), /a timer unit has no processes/)
})

test('new content of a target stops nothing, and starts what it has come to want', async () => {
  const pid = pidOf(await unitWhen('wanted.service', 'Running'))
  await apply('also.service', { content: SLEEPER, desiredState: 'loaded' })
  await unitWhen('also.service', 'Stopped')
  await change('set.target', { content: '[Unit]\nWants=wanted.service also.service\n' })
  await unitWhen('also.service', 'Running')
  assert.is(pidOf(await unitWhen('wanted.service', 'Running')), pid)
})

test('a socket with new content takes its running service with it, again and again', async () => {
  await change('door.service', { desiredState: 'launched' })
  await change('door.socket', { content: '[Socket]\nListenStream=9102\n' })
  let pid = pidOf(await unitWhen('door.service', 'Running'))
  for (const port of [9103, 9104, 9105]) {
    await change('door.socket', { content: `[Socket]\nListenStream=${port}\n` })
    await until(async () => (await show('door.socket', 'Listen')).includes(String(port)), { what: `port ${port}` })
    await unitWhen('door.socket', 'Running')
    const next = await unitWhen('door.service', 'Running', (unit) => ![0, pid].includes(pidOf(unit)))
    pid = pidOf(next)
  }
})

test('a socket that comes after its service is listening all the same', async () => {
  await apply('late.service', { content: SLEEPER })
  await unitWhen('late.service', 'Running')
  await apply('late.socket', { content: '[Socket]\nListenStream=9106\n' })
  assert.match(messageOf(await unitWhen('late.socket', 'Running')), /running|listening/)
  await unitWhen('late.service', 'Running')
  await remove('late.socket', 'late.service')
})

test('a busy mount stays as it is, and says so', async () => {
  await inside('systemd-run --unit=busy sh -c "cd /srv/disk && exec sleep 60"')
  await until(async () => (await inside('ls -l /proc/*/cwd | grep /srv/disk')) !== '', { what: 'the mount to be busy' })
  await change('srv-disk.mount', { content: '[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/srv/disk\nOptions=size=2M\n' })
  await unitWhen('srv-disk.mount', 'Running', (unit) => /its last change failed/.test(messageOf(unit)))
  await inside('systemctl stop busy.service')
})

test('links of [Install] come with the content that asks for them, and go with it', async () => {
  const install = (lines: string) => ({ content: `${SLEEPER}[Install]\n${lines}` })
  const links = (unit: string) => inside(`cd ${RUNTIME} && find . -type l -lname '*/${unit}' | sort`)
  await apply('main.service', install('WantedBy=multi-user.target\nAlias=chief.service\nAlso=aide.service\n'))
  await apply('aide.service', install('RequiredBy=set.target\n'))
  await Promise.all(['main.service', 'aide.service'].map((name) => unitWhen(name, 'Running')))
  const aides = './aide.service\n./set.target.requires/aide.service'
  assert.is(await links('main.service'), './chief.service\n./main.service\n./multi-user.target.wants/main.service')
  assert.is(await links('aide.service'), aides)
  assert.is(await inside('systemctl is-enabled main.service'), 'enabled-runtime')

  const pid = await show('main.service', 'MainPID')
  await change('main.service', install('WantedBy=other.target\n'))
  await unitWhen('main.service', 'Running', (unit) => ![0, Number(pid)].includes(pidOf(unit)))
  assert.is(await links('main.service'), './main.service\n./other.target.wants/main.service')
  await change('main.service', install('Alias=wrong.socket\n'))
  assert.match(messageOf(await unitWhen('main.service', 'Refused')), /wrong\.socket|Invalid/)
  assert.is(await links('main.service'), './main.service\n./other.target.wants/main.service')

  await remove('main.service')
  const gone = async () => (await links('main.service')) === ''
  await until(gone, { what: 'the links to go' })
  assert.is(await links('aide.service'), aides, 'Also= is no reason to take those of another unit')
})

test('after a reboot limits and links are there again, and a mount is mounted', async () => {
  const before = machinePid
  await inside('systemctl reboot')
  const isNew = async () => {
    machinePid = await firstProcessOf(product.dataDir, 'm1')
    return machinePid !== undefined && machinePid !== before
  }
  await until(isNew, { what: 'the next boot', timeoutMs: 15_000 })
  const isBack = async () =>
    (await enforced('small.service')).tasks === 7 && (await show('srv-disk.mount', 'ActiveState')) === 'active'
  await until(isBack, { what: 'the limited service and the mount', timeoutMs: 15_000 })
  await unitWhen('aide.service', 'Running')
  assert.match(await inside(`ls ${RUNTIME}/set.target.requires`), /aide\.service/)
})

test('everything goes without a trace', async () => {
  const { items } = await product.admin.list(Unit)
  await remove(...items.map(({ metadata }) => metadata.name))
  const left = () =>
    inside(`find ${RUNTIME} /var/lib/flotilla/agent/units -lname '*flotilla/agent*' -o -name '*.d' -path '*agent*'`)
  await until(async () => (await left()) === '', { what: 'no link to be left' })
  assert.is(await inside('grep -c /srv/disk /proc/mounts'), '0')
})

test.run()
