/** Puts together why a unit is refused or failed: systemd's properties say what, its own journal lines say why. */
import { setTimeout as delay } from 'node:timers/promises'
import { journalArguments, readJournal } from './journalctl.ts'
import type { SystemdBus } from './systemd-bus.ts'
import { refusal } from './systemd-files.ts'
import { observeUnits } from './systemd-observe.ts'
import { isConcreteUnitName, pathOfUnit } from './unit-name.ts'
import { describeResult } from './unit-result.ts'

const UNIT = 'org.freedesktop.systemd1.Unit'
const JOURNAL_DEADLINE_MS = 3000
const MAX_JOURNAL_LINES = 3
const WARNING = 4

/** '' for a unit that is well. `unitField` is the journal's field for this manager's units: UNIT or USER_UNIT. */
export async function explainUnit(bus: SystemdBus, name: string, unitField: string): Promise<string> {
  if (!isConcreteUnitName(name)) return ''
  const unit = (await observeUnits(bus, [name])).get(name)
  if (!unit || unit.loadState === 'not-found') return ''
  const loadError = unit.loadState === 'loaded' ? '' : await readLoadError(bus, name)
  const failure = unit.result === 'success' || unit.result === '' ? '' : describeResult(unit.result, unit.exitStatus)
  if (!failure && unit.loadState === 'loaded') return ''
  return [loadError, failure, ...(await complaints(name, unitField))].filter(Boolean).join('; ')
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
