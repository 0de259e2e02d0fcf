/** The isolated machines of a running `flotilla up`, seen from this box. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findHierarchies, machineFolder } from '../../../node-agent/lab/cgroups.ts'
import { labNames } from '../../../node-agent/lab/names.ts'
import { runProcess } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import { wallClockMs } from '../load/template.ts'
import { findProcesses } from './proc.ts'

/** The agent of machine `name`, by this box's count. */
export async function agentPid(dataDir: string, name: string): Promise<number> {
  const { prefix } = await labNames(dataDir)
  const [pid] = await findProcesses(`flotilla.js agent --name ${name} `, `/${prefix}/${name}/`)
  if (pid === undefined) throw new Error(`no agent of ${name} found`)
  return pid
}

/** Runs a command inside a machine, in the namespaces of its agent. */
async function inside(pid: number, argv: readonly string[]): Promise<string> {
  const enter = ['nsenter', '-t', String(pid), '-m', '-p', '-u', '-i', '-n', '--']
  const { code, stdout, stderr } = await runProcess([...enter, ...argv], { timeoutMs: 20_000 })
  if (code !== 0) throw new Error(`${argv.slice(0, 3).join(' ')}: ${stderr}`)
  return stdout
}

/** When systemd itself says that each unit became active: ms since 1970 on the clock of this box, in µs steps. */
export async function activeSince(pid: number, units: readonly string[]): Promise<Map<string, number>> {
  if (units.length === 0) return new Map()
  const show = ['systemctl', 'show', '--timestamp=us+utc', '--property=Id,ActiveEnterTimestamp', ...units]
  return parseShow(await inside(pid, show))
}

/** Where the machine's systemd keeps a folder for each service that runs, whichever control groups the box has. */
const RUNNING = ['/sys/fs/cgroup/system.slice', '/sys/fs/cgroup/systemd/system.slice']
const FILES = ['/var/lib/flotilla/agent/units', '/run/systemd/system']

export interface Gone {
  /** None of them runs any more: wall clock, ms. */
  readonly stoppedMs: number
  /** Nor is there a file of any. */
  readonly goneMs: number
}

/** Looks from outside, through the agent's root: a process inside the machine each time would be its main work. */
export async function goneFrom(pid: number, prefix: string): Promise<Gone> {
  const noneIn = async (folders: readonly string[]) => {
    const listed = await Promise.all(folders.map((folder) => readdir(`/proc/${pid}/root${folder}`).catch(() => [])))
    return !listed.flat().some((name) => name.startsWith(prefix)) && wallClockMs()
  }
  const options = { timeoutMs: 60_000 }
  const stoppedMs = await until(() => noneIn(RUNNING), { ...options, what: 'the services to stop' })
  const goneMs = await until(() => noneIn(FILES), { ...options, what: 'their files to go' })
  return { stoppedMs, goneMs }
}

/**
 * The floor under every unit-latency: systemd alone, without us. Unit files in /run, one `systemctl start` for all of
 * them; returns when it was asked. `removeByHand` undoes it.
 */
export async function startByHand(pid: number, units: readonly string[], content: string): Promise<number> {
  const write = 'dir=/run/systemd/system; text=$1; shift; for unit; do printf %s "$text" >"$dir/$unit"; done'
  await inside(pid, ['sh', '-c', write, 'sh', content, ...units])
  const asked = 'date +%s.%N; exec systemctl start --no-block "$@"'
  return Number(await inside(pid, ['sh', '-c', asked, 'sh', ...units])) * 1000
}

export async function removeByHand(pid: number, units: readonly string[]): Promise<void> {
  const script = 'systemctl stop "$@"; cd /run/systemd/system && rm -f -- "$@" && systemctl daemon-reload'
  await inside(pid, ['sh', '-c', script, 'sh', ...units])
}

/** Processor time that all processes of a machine have used, s; undefined where no cgroup tells. */
export async function machineSeconds(dataDir: string, name: string): Promise<number | undefined> {
  const names = await labNames(dataDir)
  for (const hierarchy of await findHierarchies()) {
    const folder = machineFolder(hierarchy, names, name)
    const nanoseconds = await readFile(join(folder, 'cpuacct.usage'), 'utf8').catch(() => undefined)
    if (nanoseconds !== undefined) return Number(nanoseconds) / 1e9
    const stat = await readFile(join(folder, 'cpu.stat'), 'utf8').catch(() => '')
    const microseconds = /^usage_usec (\d+)$/m.exec(stat)?.[1]
    if (microseconds !== undefined && hierarchy.name === '.') return Number(microseconds) / 1e6
  }
  return undefined
}

/** `systemctl show` of several units: blocks of lines with a blank line between them. */
export function parseShow(text: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const block of text.split('\n\n')) {
    const id = /^Id=(.+)$/m.exec(block)?.[1]
    const time = /^ActiveEnterTimestamp=\w+ (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.(\d{6}) UTC$/m.exec(block)
    if (id === undefined || time === null) continue
    found.set(id, Date.parse(`${time[1]}T${time[2]}Z`) + Number(time[3]) / 1000)
  }
  return found
}
