/** Puts together why a unit is refused or failed: systemd's properties say what, its own journal lines say why. */
import { setTimeout as delay } from 'node:timers/promises'
import type { ObservedUnit } from './driver.ts'
import { journalArguments, readJournal } from './journalctl.ts'
import type { SystemdBus } from './systemd-bus.ts'
import { refusal } from './systemd-files.ts'
import { observeUnits } from './systemd-observe.ts'
import { isConcreteUnitName, pathOfUnit } from './unit-name.ts'
import { describeJobResult, describeResult } from './unit-result.ts'

const UNIT = 'org.freedesktop.systemd1.Unit'
const JOURNAL_DEADLINE_MS = 3000
const MAX_JOURNAL_LINES = 3
const JOURNAL_LAG_MS = [0, 20, 50, 100, 200]
/** systemd notes the time of a start after the fork, and the child may have complained by then. */
const START_SLACK_US = 200_000
/** mount(8) and swapon(8) say in their output what is wrong; what a service writes is its own affair. */
const SAYS_WHY = /\.(?:mount|swap)$/
/** The last line about a failure; it repeats what the unit's Result says. */
const CLOSING = /: Failed with result '/

/** '' for a unit that is well. `unitField` is the journal's field for this manager's units: UNIT or USER_UNIT. */
export async function explainUnit(bus: SystemdBus, name: string, unitField: string): Promise<string> {
  if (!isConcreteUnitName(name)) return ''
  const unit = (await observeUnits(bus, [name])).get(name)
  if (!unit || unit.loadState === 'not-found') return ''
  const loadError = unit.loadState === 'loaded' ? '' : await readLoadError(bus, name)
  const failure = failureOf(unit)
  if (!failure && unit.loadState === 'loaded') return ''
  const match = [`${unitField}=${name}`, '--priority=warning', '--boot']
  const output = SAYS_WHY.test(name) ? [`_SYSTEMD_${unitField}=${name}`, '--boot'] : undefined
  const lines = failure ? await failureLines(bus, name, match, output) : await readComplaints(match)
  return [loadError, failure, ...lines.slice(-MAX_JOURNAL_LINES)].filter(Boolean).join('; ')
}

function failureOf({ result, exitStatus, jobResult }: ObservedUnit): string {
  if (jobResult !== undefined) return describeJobResult(jobResult)
  return result === 'success' || result === '' ? '' : describeResult(result, exitStatus)
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

/**
 * Warnings of this run only: the journal also has those of earlier ones, and of earlier units of that name. It lags
 * behind the failure, so it is read again until the line is there by which systemd closes every failure.
 */
async function failureLines(
  bus: SystemdBus,
  name: string,
  match: readonly string[],
  output: readonly string[] | undefined,
): Promise<readonly string[]> {
  const sinceUs = Number(await bus.property(pathOfUnit(name), UNIT, 'InactiveExitTimestamp'))
  const since = sinceUs > 0 ? [`--since=@${((sinceUs - START_SLACK_US) / 1e6).toFixed(6)}`] : []
  let lines: readonly string[] = []
  for (const waitMs of JOURNAL_LAG_MS) {
    await delay(waitMs)
    lines = await readComplaints([...match, ...since])
    if (lines.some((line) => CLOSING.test(line))) break
  }
  const said = output ? await readComplaints([...output, ...since]) : []
  return [...lines.filter((line) => !CLOSING.test(line)), ...said.map((line) => line.trim())]
}

async function readComplaints(match: readonly string[]): Promise<readonly string[]> {
  const lines = new Set<string>()
  const timeout = AbortSignal.timeout(JOURNAL_DEADLINE_MS)
  try {
    for await (const { message } of readJournal(journalArguments(match, { lines: 20 }), timeout)) lines.add(message)
  } catch {
    // The properties alone are an answer; a machine without a readable journal still has those.
  }
  return [...lines]
}
