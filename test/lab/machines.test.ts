/** Real machines on this box: one file, and longer for it, because they all share one lab of three. */
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type Lab, type Machine, missingForLab, openLab, removeResidue } from '../../node-agent/lab/index.ts'
import { startProcess } from '../support/process.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const RUNNING_TIMEOUT_MS = 15_000
const PORT = 9000
const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent }

/** Says its machine's name to whoever connects; runs from a bound file, reads a bound folder, is started at boot. */
const GREETER = `[Service]
Environment=PORT=${PORT}
ExecStart=/opt/flotilla/node /opt/greeter/greeter.mjs
[Install]
WantedBy=multi-user.target
`
const GREETER_SOURCE = `import { createServer } from 'node:net'
import { hostname } from 'node:os'
createServer((socket) => socket.end(hostname())).listen(Number(process.env.PORT))
`
/** Wants 200 MB and may have 30; bounded by itself, so a limit that does not hold fails the test and not the box. */
const HOG = `[Service]
MemoryMax=30M
ExecStart=/usr/bin/bash -c 'exec tail -n 1 <(head -c 200M /dev/zero) >/dev/null'
`

const dataDir = tempDir()
const test = suiteOf('machines of a lab', { needs: ['lab'] })
let lab: Lab
let server: Server
let serverPort: number
let machines: readonly [Machine, Machine, Machine]

async function createThree(target: Lab): Promise<readonly [Machine, Machine, Machine]> {
  const scripts = tempDir()
  writeFileSync(join(scripts, 'greeter.mjs'), GREETER_SOURCE)
  const options = {
    binds: [
      { source: realpathSync(process.execPath), target: '/opt/flotilla/node' },
      { source: scripts, target: '/opt/greeter' },
    ],
    files: [{ path: '/etc/flotilla/given', content: 'by the caller', mode: 0o600 }],
    units: [
      { name: 'greeter.service', content: GREETER, enable: true },
      { name: 'hog.service', content: HOG },
    ],
  }
  return Promise.all([target.create('m1', options), target.create('m2', options), target.create('m3', options)])
}

async function inside(machine: Machine, script: string): Promise<string> {
  const { code, stdout, stderr } = await machine.exec(['bash', '-c', script])
  if (code !== 0) throw new Error(`${machine.name}: ${script}: ${code} ${stderr}`)
  return stdout.trim()
}

/** What is said to a machine that connects to an address; undefined when it cannot connect within a second. */
async function heard(from: Machine, address: string, port = PORT): Promise<string | undefined> {
  const script = `exec 3<>/dev/tcp/${address}/${port} && cat <&3`
  const { code, stdout } = await from.exec(['timeout', '1', 'bash', '-c', script])
  return code === 0 ? stdout : undefined
}

async function reaches(from: Machine, to: Machine): Promise<boolean> {
  return (await heard(from, to.address)) === to.name
}

/** Everything on this box that carries a lab's prefix, wherever it may be. */
function traces(id: string): string[] {
  const named = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.includes(id))
  const cgroups = readdirSync('/sys/fs/cgroup', { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.includes(id),
  )
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`fl${id}`))
  return [...cgroups, ...mounts, ...processes(id), ...named('/run/netns'), ...named('/sys/class/net'), ...named('/run')]
}

/** Living processes of a lab, by its name on their command lines and in their cgroups. */
function processes(id: string): string[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return '' // gone meanwhile
    }
  }
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
  return pids.filter((pid) => `${read(`/proc/${pid}/cmdline`)}${read(`/proc/${pid}/cgroup`)}`.includes(`fl${id}`))
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test.before(async () => {
  lab = await openLab({ dataDir, log })
  machines = await createThree(lab)
  server = createServer((socket) => socket.end('root side'))
  await new Promise<void>((resolve) => server.listen(0, lab.hostAddress, resolve))
  const bound = server.address()
  serverPort = typeof bound === 'object' && bound ? bound.port : 0
})

test.after(async () => {
  server.close()
  await lab.close()
})

test('a box that can hold a lab is told that nothing is missing', async () => {
  assert.is(await missingForLab(), undefined)
})

test('systemd calls every boot complete, with no failed unit', async () => {
  const words = await Promise.all(machines.map((machine) => machine.waitRunning(RUNNING_TIMEOUT_MS)))
  const failed = await Promise.all(machines.map((machine) => inside(machine, 'systemctl --failed --no-legend')))
  assert.equal(failed, ['', '', ''])
  assert.equal(words, ['running', 'running', 'running'])
})

test('every machine has its own identity, and PID 1 is systemd', async () => {
  const identify =
    'hostname; cat /etc/machine-id /proc/sys/kernel/random/boot_id; cat /proc/1/comm; busctl list >/dev/null'
  const seen = await Promise.all(machines.map(async (machine) => (await inside(machine, identify)).split('\n')))
  assert.equal(
    seen,
    machines.map((machine) => [machine.name, machine.machineId, machine.bootId(), 'systemd']),
  )
  assert.is(new Set(seen.flat()).size, 3 * 3 + 1)
})

test('a machine keeps a journal of its own', async () => {
  const [m1, m2] = machines
  await inside(m1, 'echo only m1 says this | systemd-cat -t lab-test; journalctl --sync')
  const read = ['journalctl', '-q', '-o', 'cat', '-t', 'lab-test']
  assert.is((await m1.exec(read)).stdout, 'only m1 says this\n')
  assert.is((await m2.exec(read)).stdout, '')
})

test("nothing of this box's people, secrets or files is in a machine", async () => {
  const [m1] = machines
  assert.is(await inside(m1, "awk -F: '$2 != \"*\"' /etc/shadow; awk -F: '$3 >= 1000 && $3 != 65534' /etc/passwd"), '')
  assert.is(await inside(m1, 'ls -A /home /mnt /srv | grep -v :$ ; ls -A /etc/ssl/private 2>/dev/null; true'), '')
  assert.is.not((await m1.exec(['touch', '/usr/written'])).code, 0)
})

test('machines and the root side reach each other over TCP, both ways', async () => {
  for (const from of machines) {
    for (const to of machines) await until(() => reaches(from, to), { what: `${from.name} hears ${to.name}` })
    assert.is(await heard(from, lab.hostAddress, serverPort), 'root side')
    assert.is(await heardHere(from.address), from.name)
  }
})

test('a file and a unit given at creation are there, and the unit is started', async () => {
  const [m1] = machines
  assert.is(await inside(m1, 'stat -c %a /etc/flotilla/given; cat /etc/flotilla/given'), '600\nby the caller')
  assert.is(await inside(m1, 'systemctl is-active greeter.service'), 'active')
  assert.is((await m1.exec(['systemctl', 'is-enabled', 'hog.service'])).stdout.trim(), 'static')
})

test('exec passes input, status and both outputs, and ends at its deadline', async () => {
  const [m1] = machines
  const result = await m1.exec(['sh', '-c', 'cat; echo bad >&2; exit 7'], { input: 'said' })
  assert.equal(result, { code: 7, stdout: 'said', stderr: 'bad\n' })
  await rejects(() => m1.exec(['sleep', '314'], { timeoutMs: 100 }), /no end after 100 ms/)
  await until(async () => (await m1.exec(['pgrep', '-f', 'sleep 314'])).code === 1, {
    what: 'the late command is gone',
  })
  await rejects(() => m1.exec(['yes'], { maxOutputBytes: 10_000 }), /said more than it may/)
})

test("a unit's memory limit holds", async () => {
  const [m1] = machines
  await inside(m1, 'systemctl start hog.service')
  const result = await until(
    async () => /^Result=(oom-kill|signal)$/m.exec(await inside(m1, 'systemctl show hog -p Result'))?.[1],
    { what: 'the hog is killed', timeoutMs: 10_000 },
  )
  assert.ok(result)
  await inside(m1, 'systemctl reset-failed hog.service')
})

test('reboot ends the boot and begins another, on the same disk', async () => {
  const [, m2] = machines
  const before = { bootId: m2.bootId(), machineId: m2.machineId, address: m2.address }
  await inside(m2, 'echo kept >/var/lib/kept; echo lost >/run/lost')
  const endings: string[] = []
  const unsubscribe = m2.onEnding((ending) => endings.push(ending))
  await m2.reboot()
  await m2.reboot() // asked for while it still boots
  unsubscribe()
  assert.is(await m2.waitRunning(RUNNING_TIMEOUT_MS), 'running')
  assert.equal(endings, ['reboot', 'reboot'])
  assert.is.not(m2.bootId(), before.bootId)
  assert.is(await inside(m2, 'cat /proc/sys/kernel/random/boot_id'), m2.bootId())
  assert.is(
    await inside(m2, 'cat /var/lib/kept; ls /run/lost 2>/dev/null; cat /etc/machine-id'),
    `kept\n${before.machineId}`,
  )
  await until(() => reaches(machines[0], m2), { what: 'm2 is reached again at its old address' })
})

test('a machine that reboots by itself comes back by itself', async () => {
  const [, m2] = machines
  const { promise, stop } = nextEnding(m2)
  await m2.exec(['systemd-run', '--on-active=0', 'systemctl', 'reboot'])
  assert.is(await promise, 'reboot')
  stop()
  assert.is(await m2.waitRunning(RUNNING_TIMEOUT_MS), 'running')
})

test('SIGKILL of PID 1 is seen as a crash; started again it has its /var', async () => {
  const [, , m3] = machines
  await inside(m3, 'echo kept >/var/lib/kept; sync')
  const { promise, stop } = nextEnding(m3)
  process.kill(m3.pid() ?? Number.NaN, 'SIGKILL')
  assert.is(await promise, 'crash')
  stop()
  assert.is(m3.state, 'off')
  await rejects(() => m3.exec(['true']), /m3 is off/)
  await rejects(() => m3.waitRunning(1_000), /m3 is off/)
  await m3.start()
  assert.is(await m3.waitRunning(RUNNING_TIMEOUT_MS), 'running')
  assert.is(await inside(m3, 'cat /var/lib/kept'), 'kept')
})

test('poweroff leaves it off until it is started; verbs on a machine that is so already do nothing', async () => {
  const [, , m3] = machines
  await m3.start()
  const { promise, stop } = nextEnding(m3)
  await m3.poweroff()
  assert.is(await promise, 'poweroff')
  stop()
  assert.is(m3.state, 'off')
  await m3.kill()
  await m3.start()
  await m3.waitRunning(RUNNING_TIMEOUT_MS)
})

test('a frozen machine answers nothing, goes on where it was, and can be killed', async () => {
  const [m1, m2] = machines
  await m2.freeze()
  assert.is(m2.state, 'frozen')
  assert.is(await heard(m1, m2.address), undefined)
  await rejects(() => m2.exec(['true'], { timeoutMs: 200 }), /no end after/)
  await m2.thaw()
  assert.is(m2.state, 'on')
  await until(() => reaches(m1, m2), { what: 'm2 answers again' })
  await m2.freeze()
  await m2.kill()
  await m2.start()
  assert.is(await m2.waitRunning(RUNNING_TIMEOUT_MS), 'running')
})

test('a cut machine is unreachable, also after a reboot, until it is healed', async () => {
  const [m1, m2] = machines
  await m2.cut()
  assert.is(await heard(m1, m2.address), undefined)
  assert.is(await heard(m2, lab.hostAddress, serverPort), undefined)
  await m2.kill()
  await m2.start()
  await m2.waitRunning(RUNNING_TIMEOUT_MS)
  assert.is(await heard(m1, m2.address), undefined)
  await m2.heal()
  await until(() => reaches(m1, m2), { what: 'm2 is reached again' })
  assert.is(await heard(m2, lab.hostAddress, serverPort), 'root side')
})

test('isolated from one peer, a machine still reaches the others and the root side', async () => {
  const [m1, m2, m3] = machines
  await m1.isolate(['m2'])
  assert.equal([await reaches(m1, m2), await reaches(m2, m1), await reaches(m1, m3)], [false, false, true])
  assert.is(await heard(m1, lab.hostAddress, serverPort), 'root side')
  await m1.heal()
  assert.equal([await reaches(m1, m2), await reaches(m2, m1)], [true, true])
  await m1.isolate()
  assert.equal([await reaches(m1, m2), await reaches(m3, m1), await reaches(m2, m3)], [false, false, true])
  await m1.heal()
})

test('a machine is destroyed with its disk, and its name and address are free again', async () => {
  const extra = await lab.create('extra')
  const { address, machineId } = extra
  await extra.destroy()
  await extra.destroy()
  assert.not.ok(existsSync(join(dataDir, 'machines/extra')))
  const again = await lab.create('extra')
  assert.is(again.address, address)
  assert.is.not(again.machineId, machineId)
  await again.destroy()
})

test('what cannot be created is refused and leaves nothing', async () => {
  await rejects(() => lab.create('Not_A_Name'), /must be 1-63/)
  await rejects(() => lab.create('m1'), /exists already/)
  await rejects(() => lab.create('x', { files: [{ path: '/usr/x', content: '' }] }), /is not a plain path below/)
  await rejects(() => lab.create('x', { files: [{ path: '/var/run/x', content: '' }] }), /leads out of the machine/)
  await rejects(() => lab.create('x', { binds: [{ source: '/nowhere', target: '/opt/x' }] }), /no '\/nowhere' to bind/)
  await rejects(() => lab.create('x', { signal: AbortSignal.abort(new Error('no more')) }), /no more/)
  assert.equal(
    lab.machines().map(({ name }) => name),
    ['m1', 'm2', 'm3'],
  )
  assert.equal(
    traces(lab.id).filter((trace) => /-x\b|\/x\b/.test(trace)),
    [],
  )
})

test('a data folder has one lab at a time, and its residue is not removed under it', async () => {
  await rejects(() => openLab({ dataDir: join(dataDir, '.'), log }), /already run by another process/)
  await rejects(() => removeResidue(dataDir), /in use by a running flotilla/)
  assert.is(await machines[0].waitRunning(RUNNING_TIMEOUT_MS), 'running')
})

test('two labs live side by side on networks of their own, and closing one leaves nothing of it', async () => {
  const second = await openLab({ dataDir: tempDir(), log })
  const [a, b] = await Promise.all([second.create('m1'), second.create('m2')])
  await Promise.all([a.waitRunning(RUNNING_TIMEOUT_MS), b.waitRunning(RUNNING_TIMEOUT_MS)])
  assert.is.not(second.cidr, lab.cidr)
  assert.is.not(a.machineId, machines[0].machineId)
  assert.ok(traces(second.id).length > 10, 'the search for traces finds them while they are there')
  await a.freeze()
  await second.close()
  await second.close()
  assert.equal(traces(second.id), [])
  await rejects(() => second.create('m3'), /closed/)
  assert.is(await machines[0].waitRunning(RUNNING_TIMEOUT_MS), 'running')
})

test('a lab opened again has its machines of before: same disk, same machine id', async () => {
  const folder = tempDir()
  const first = await openLab({ dataDir: folder, log })
  const machine = await first.create('m1')
  await machine.waitRunning(RUNNING_TIMEOUT_MS)
  await inside(machine, 'echo kept >/var/lib/kept; echo mine >/etc/mine; systemctl mask hog.service')
  await first.close()
  const second = await openLab({ dataDir: folder, log })
  const again = await second.create('m1')
  await again.waitRunning(RUNNING_TIMEOUT_MS)
  assert.is(again.machineId, machine.machineId)
  assert.is(await inside(again, 'cat /var/lib/kept /etc/mine'), 'kept\nmine')
  await second.close({ removeData: true })
  assert.not.ok(existsSync(join(folder, 'machines')))
})

test('the machines die with a supervisor that is killed, and removeResidue then leaves nothing', async () => {
  const folder = tempDir()
  const victim = join(import.meta.dirname, 'machines-supervisor.ts')
  const supervisor = await startProcess([process.execPath, '--import', 'tsx/esm', victim, folder])
  const [, list = ''] = await supervisor.waitForLine(/^up (.*)$/, { timeoutMs: 30_000 })
  const pids = list.split(' ').map(Number)
  assert.ok(pids.every(isAlive))
  await rejects(() => removeResidue(folder), /in use/)
  await supervisor.crash()
  await until(() => !pids.some(isAlive), { what: 'its machines are dead' })
  const found = await removeResidue(folder, { removeData: true })
  assert.ok(
    found.some((line) => line.startsWith('network namespace ')) && found.some((line) => line.startsWith('cgroup ')),
  )
  const id = /fl([0-9a-f]{6})/.exec(found[0] ?? '')?.[1] ?? ''
  assert.is(id.length, 6)
  assert.equal(traces(id), [])
  assert.equal(await removeResidue(folder), [])
})

async function rejects(call: () => Promise<unknown>, expected: RegExp): Promise<void> {
  let message = 'it resolved'
  try {
    await call()
  } catch (error) {
    message = (error as Error).message
  }
  assert.match(message, expected)
}

function nextEnding(machine: Machine): { readonly promise: Promise<string>; stop(): void } {
  let stop = (): void => {}
  const promise = new Promise<string>((resolve) => {
    stop = machine.onEnding(resolve)
  })
  return { promise, stop }
}

/** What a machine says to this process. */
async function heardHere(address: string): Promise<string> {
  const socket = connect({ host: address, port: PORT, timeout: 2_000 })
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

test.run()
