/** One boot of a machine: from the spawn of its first process to the word of how it ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hierarchy } from './cgroup-hierarchies.ts'
import { machineFolder, makeFolders, removeFolders } from './cgroups.ts'
import { toolEnv } from './command.ts'
import { type LabNames, machineNetns } from './names.ts'

/** `crash`: PID 1 died of something else than its own wish, a SIGKILL from anywhere included. */
export type Ending = 'reboot' | 'poweroff' | 'crash'

export interface Boot {
  readonly bootId: string
  /** PID 1 of the machine as this box counts; defined while it lives. */
  pid(): number | undefined
  readonly ended: Promise<Ending>
  /** Power loss: everything in the machine is dead when `ended` resolves. */
  kill(): void
}

export interface BootSpec {
  readonly names: LabNames
  readonly machine: string
  readonly hierarchies: readonly Hierarchy[]
  /** Holds etc, var and root. */
  readonly dataDir: string
  /** Holds this boot's own files and the console's text. */
  readonly runDir: string
  /** The text of what is bound: see machine-files.ts. */
  readonly binds: string
}

const START_TIMEOUT_MS = 10_000
const CONSOLE_TAIL_CHARACTERS = 2_000

/** Resolves once PID 1 exists and is in its cgroups; rejects, saying what the console said, when it does not come. */
export async function boot(spec: BootSpec): Promise<Boot> {
  const bootId = randomUUID()
  // Limits and folders of the boot before must not meet the next one, nor may anything that outlived it.
  await removeFolders(spec.hierarchies, spec.names, spec.machine)
  await Promise.all([makeFolders(spec.hierarchies, spec.names, spec.machine), writeRunDir(spec, bootId)])
  const child = await launch(spec)
  const ended = endingOf(child)
  let over = false
  const watched = ended.finally(() => {
    over = true
  })
  const firstPid = await firstWord(child, watched, spec)
  const pid = (): number | undefined => (over ? undefined : firstPid)
  return { bootId, pid, ended: watched, kill: () => kill(pid()) }
}

/** The last of what the init script and systemd wrote to the console, for error messages. */
export async function consoleTail(runDir: string): Promise<string> {
  const text = await readFile(join(runDir, 'console'), 'utf8').catch(() => '')
  return text.slice(-CONSOLE_TAIL_CHARACTERS).trim()
}

async function writeRunDir({ names, machine, hierarchies, runDir, binds }: BootSpec, bootId: string): Promise<void> {
  const cgroups = hierarchies.map((hierarchy) =>
    [hierarchy.version, hierarchy.name, hierarchy.mountOptions, machineFolder(hierarchy, names, machine)].join(' '),
  )
  await mkdir(runDir, { recursive: true })
  await Promise.all([
    writeFile(join(runDir, 'cgroups'), `${cgroups.join('\n')}\n`),
    writeFile(join(runDir, 'binds'), binds),
    writeFile(join(runDir, 'boot_id'), `${bootId}\n`),
  ])
}

/**
 * The chain keeps one pid: setpriv (dies with this process; with the thread even, so no lab in a worker), sh (which makes sure that this process was still there to
 * die with), nsenter, unshare. unshare's child is the machine's PID 1 and dies with unshare.
 */
async function launch({ names, machine, dataDir, runDir }: BootSpec): Promise<ChildProcess> {
  const script = join(names.runDir, 'host-init')
  const output = await open(join(runDir, 'console'), 'w')
  const guard = '[ "$PPID" = "$FL_SUPERVISOR" ] || exit 1; exec "$@"'
  const args = [
    ...['--pdeathsig', 'KILL', '--', '/bin/sh', '-c', guard, 'sh'],
    ...['nsenter', `--net=/run/netns/${machineNetns(names, machine)}`, '--'],
    ...['unshare', '--pid', '--fork', '--mount', '--uts', '--ipc', '--kill-child', '--', '/bin/sh', script, 'enter'],
  ]
  const given = { FL_NAME: machine, FL_SCRIPT: script, FL_DATA: dataDir, FL_RUN: runDir }
  const env = { ...toolEnv, ...given, FL_SUPERVISOR: String(process.pid) }
  try {
    // A session of its own: Ctrl-C at the supervisor's terminal is for the supervisor alone.
    return spawn('setpriv', args, { cwd: '/', env, detached: true, stdio: ['ignore', output.fd, output.fd, 'pipe'] })
  } finally {
    await output.close()
  }
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', () => resolve('crash'))
    // reboot(2) in a pid namespace ends its PID 1 by these signals, and unshare ends itself by the same.
    child.once('exit', (_code, signal) =>
      resolve(signal === 'SIGHUP' ? 'reboot' : signal === 'SIGINT' ? 'poweroff' : 'crash'),
    )
  })
}

/** The init script's one word on fd 3: its pid outside. */
async function firstWord(child: ChildProcess, ended: Promise<Ending>, spec: BootSpec): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, START_TIMEOUT_MS)
  })
  const pid = await Promise.race([readPid(child), ended, late])
  clearTimeout(timer)
  if (typeof pid === 'number') return pid
  child.kill('SIGKILL')
  throw new Error(`machine ${spec.machine} did not start: ${await consoleTail(spec.runDir)}`)
}

function readPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    let text = ''
    child.stdio[3]?.on('error', () => {}) // the ending tells
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      text += chunk
      if (text.endsWith('\n')) resolve(Number(text))
    })
  })
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // ESRCH: it ended by itself just now
  }
}
