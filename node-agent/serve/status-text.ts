/** A unit's state as people read it: what `systemctl status` prints where there is systemd, the same in small elsewhere. */
import { execFile } from 'node:child_process'
import type { ObservedUnit, UnitDriver } from '../units/driver.ts'

const DEADLINE_MS = 5_000
const MAX_BYTES = 256 * 1024
/** systemctl's exit codes for a unit that is not active: an answer, not a failure. */
const ANSWERS: ReadonlySet<unknown> = new Set([0, 3, 4])

/** Without the log: that is asked for apart. Rejects with systemctl's words when it does not answer. */
export async function statusText(driver: UnitDriver, unitName: string, signal: AbortSignal): Promise<string> {
  if (driver.kind === 'system' || driver.kind === 'user') return await askSystemctl(driver.kind, unitName, signal)
  const [observed, explanation] = await Promise.all([driver.observe([unitName]), driver.explain(unitName)])
  return `${statusHead(unitName, observed.get(unitName))}${explanation ? `     Reason: ${explanation}\n` : ''}`
}

function askSystemctl(kind: 'system' | 'user', unitName: string, signal: AbortSignal): Promise<string> {
  const args = [`--${kind}`, 'status', '--no-pager', '--full', '--lines=0', '--', unitName]
  const env = { ...process.env, SYSTEMD_COLORS: '0', SYSTEMD_URLIFY: '0', LC_ALL: 'C.UTF-8', COLUMNS: '160' }
  return new Promise((resolve, reject) => {
    execFile(
      'systemctl',
      args,
      { env, signal, timeout: DEADLINE_MS, maxBuffer: MAX_BYTES },
      (error, stdout, stderr) => {
        if (error === null || (ANSWERS.has(error.code) && stdout !== '')) resolve(stdout)
        else reject(new Error(`systemctl status: ${stderr.trim() || error.message}`))
      },
    )
  })
}

export function statusHead(unitName: string, seen: ObservedUnit | undefined): string {
  if (seen === undefined) return `○ ${unitName}\n     Loaded: not-found\n     Active: inactive (dead)\n`
  const mark = seen.activeState === 'failed' ? '×' : seen.activeState === 'active' ? '●' : '○'
  const result = seen.result === '' || seen.result === 'success' ? '' : ` (Result: ${seen.result})`
  return [
    `${mark} ${unitName}`,
    `     Loaded: ${seen.loadState}`,
    `     Active: ${seen.activeState} (${seen.subState})${result}${since(seen, Date.now())}`,
    ...(seen.mainPID > 0 ? [`   Main PID: ${seen.mainPID}`] : []),
    ...(seen.restarts > 0 ? [`   Restarts: ${seen.restarts}`] : []),
    '',
  ].join('\n')
}

function since({ activeEnterTimestampUs }: ObservedUnit, nowMs: number): string {
  if (activeEnterTimestampUs === 0) return ''
  const atMs = activeEnterTimestampUs / 1000
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1000))
  return ` since ${new Date(atMs).toISOString()}; ${spanText(seconds)} ago`
}

function spanText(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}min ${seconds % 60}s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 1440 ? `${Math.floor(minutes / 60)}h ${minutes % 60}min` : `${Math.floor(minutes / 1440)} days`
}
