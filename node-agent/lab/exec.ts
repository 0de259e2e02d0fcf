/** Runs a command inside a machine, as if at its console. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Hierarchy } from './cgroup-hierarchies.ts'
import { machineFolder } from './cgroups.ts'
import { type CommandOptions, type CommandResult, run } from './command.ts'
import type { LabNames } from './names.ts'

export type ExecOptions = Pick<CommandOptions, 'timeoutMs' | 'input' | 'maxOutputBytes' | 'signal'>

export interface ExecTarget {
  readonly names: LabNames
  readonly machine: string
  readonly hierarchies: readonly Hierarchy[]
  readonly pid: number
}

const ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', HOME: '/root', LANG: 'C.UTF-8', TERM: 'dumb' }

/** Of a command line in an error message. */
const SHOWN_CHARACTERS = 80

/** Joins the machine's cgroups before its namespaces: what runs there counts there, and freezes with it. */
const JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs" || exit 1; shift; done; shift; exec nsenter "$@"'

export function execIn(target: ExecTarget, argv: readonly string[], options: ExecOptions): Promise<CommandResult> {
  const folders = target.hierarchies.map((hierarchy) =>
    joinable(machineFolder(hierarchy, target.names, target.machine)),
  )
  const namespaces = ['-t', String(target.pid), '-m', '-p', '-u', '-i', '-n', '-C', '--']
  const what = `${target.machine}: ${argv.join(' ').slice(0, SHOWN_CHARACTERS)}`
  return run('/bin/sh', ['-c', JOIN, 'sh', ...folders, '--', ...namespaces, ...argv], { ...options, env: ENV, what })
}

/** v2 lets nothing join a folder whose children have controllers; PID 1 itself sits in init.scope. */
function joinable(folder: string): string {
  const init = join(folder, 'init.scope')
  return existsSync(init) ? init : folder
}
