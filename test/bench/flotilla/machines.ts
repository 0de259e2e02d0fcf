/** The isolated machines of a running `flotilla up`, seen from this box. */
import { labNames } from '../../../node-agent/lab/names.ts'
import { runProcess } from '../../support/process.ts'
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
