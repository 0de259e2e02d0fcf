/** Asks a machine's systemd whether its boot is complete. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandResult } from './command.ts'
import type { ExecOptions } from './exec.ts'

/** `degraded`: up, with failed units. */
export type Completed = 'running' | 'degraded'

export interface Asking {
  /** PID 1 as this box counts, while the machine is on. */
  pid(): number | undefined
  exec(argv: readonly string[], options: ExecOptions): Promise<CommandResult>
}

/** Made when the manager begins to answer; before that systemctl could only fail. */
const MANAGER_SOCKET = 'run/systemd/private'

/**
 * systemd's word on its boot, or undefined when there is nobody to ask yet (or any more: a reboot). systemctl waits for
 * the manager's own signal, so this costs one process a boot.
 */
export async function askSystemd(
  machine: Asking,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Completed | undefined> {
  const pid = machine.pid()
  if (pid === undefined || !existsSync(join('/proc', String(pid), 'root', MANAGER_SOCKET))) return undefined
  const options = { timeoutMs, ...(signal && { signal }) }
  const { stdout } = await machine.exec(['systemctl', 'is-system-running', '--wait'], options)
  const word = stdout.trim()
  return word === 'running' || word === 'degraded' ? word : undefined
}
