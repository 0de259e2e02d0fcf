/** Puts together why a unit is refused or failed: systemd's properties say what, its own journal lines say why. */
import { setTimeout as delay } from 'node:timers/promises'
import { journalArguments, readJournal } from './journalctl.ts'
import type { SystemdBus } from './systemd-bus.ts'
import { refusal } from './systemd-files.ts'
import { observeUnits } from './systemd-observe.ts'
import { isConcreteUnitName, pathOfUnit } from './unit-name.ts'

const UNIT = 'org.freedesktop.systemd1.Unit'
const JOURNAL_DEADLINE_MS = 3000
const MAX_JOURNAL_LINES = 3
const WARNING = 4

/** systemd's names for the statuses by which it says that it could not even run the program. */
const EXIT_NAMES: Readonly<Record<number, string>> = {
  200: 'CHDIR',
  202: 'FDS',
  203: 'EXEC',
  205: 'LIMITS',
  206: 'OOM_ADJUST',
  208: 'STDIN',
  209: 'STDOUT',
  214: 'SETSCHEDULER',
  216: 'GROUP',
  217: 'USER',
  218: 'CAPABILITIES',
  219: 'CGROUP',
  222: 'STDERR',
  226: 'NAMESPACE',
  227: 'NO_NEW_PRIVILEGES',
  228: 'SECCOMP',
  233: 'RUNTIME_DIRECTORY',
  238: 'STATE_DIRECTORY',
  239: 'CACHE_DIRECTORY',
  240: 'LOGS_DIRECTORY',
  241: 'CONFIGURATION_DIRECTORY',
  243: 'CREDENTIALS',
}

/** '' for a unit that is well. `unitField` is the journal's field for this manager's units: UNIT or USER_UNIT. */
export async function explainUnit(bus: SystemdBus, name: string, unitField: string): Promise<string> {
  if (!isConcreteUnitName(name)) return ''
  const unit = (await observeUnits(bus, [name])).get(name)
  if (!unit) return ''
  const loadError = unit.loadState === 'loaded' ? '' : await readLoadError(bus, name)
  const failure = unit.result === 'success' || unit.result === '' ? '' : describeResult(unit.result, unit.exitStatus)
  const refused = unit.loadState !== 'loaded' && unit.loadState !== 'not-found'
  if (!failure && !refused) return loadError
  return [loadError, failure, ...(await complaints(name, unitField))].filter(Boolean).join('; ')
}

export function describeResult(result: string, exitStatus: number): string {
  const exitName = EXIT_NAMES[exitStatus]
  if (result === 'exit-code') return `exit-code: status ${exitStatus}${exitName ? `/${exitName}` : ''}`
  if (result === 'signal' || result === 'core-dump') return `${result}: killed by signal ${exitStatus}`
  return result
}

async function readLoadError(bus: SystemdBus, name: string): Promise<string> {
  let text = ''
  await refusal(
    bus.property(pathOfUnit(name), UNIT, 'LoadError').then((value) => {
      text = Array.isArray(value) ? String(value[1] ?? '') : ''
    }),
  )
  return text
}

/** The newest warnings that systemd logged about the unit. The journal lags a little behind the failure, hence twice. */
async function complaints(name: string, unitField: string): Promise<readonly string[]> {
  for (const waitMs of [0, 60]) {
    await delay(waitMs)
    const lines = await readComplaints([`${unitField}=${name}`, '--priority=warning', '--boot'])
    if (lines.length > 0) return lines
  }
  return []
}

async function readComplaints(match: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = []
  const timeout = AbortSignal.timeout(JOURNAL_DEADLINE_MS)
  try {
    for await (const { message, priority } of readJournal(journalArguments(match, { lines: 20 }), timeout)) {
      if (priority <= WARNING) lines.push(message)
    }
  } catch {
    // The properties alone are an answer; a machine without a readable journal still has those.
  }
  return [...new Set(lines)].slice(-MAX_JOURNAL_LINES)
}
