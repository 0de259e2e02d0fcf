/** `flotilla status`: the fleet, or one unit. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { renderLine } from '../../node-agent/serve/log-text.ts'
import { describeFailure } from './failure.ts'
import { type FleetSummary, summarize } from './fleet-summary.ts'
import { MACHINES, UNITS } from './flotilla-types.ts'
import { holderOf, type JournalLine, readJournal } from './journal.ts'
import type { Output } from './output.ts'
import { printable } from './paint.ts'
import { listObjects, readObject } from './reading.ts'
import type { Session } from './session.ts'
import { unitNameOf } from './unit-name.ts'
import { renderUnitStatus } from './unit-status.ts'

export interface StatusOptions {
  readonly output?: string
  readonly lines: string
}

const SHOWN_TROUBLE = 20

export async function status(session: Session, word: string | undefined, options: StatusOptions): Promise<number> {
  if (options.output !== undefined && options.output !== 'json')
    throw new Error(`-o ${options.output} is unknown; there is json`)
  if (word === undefined) await fleetStatus(session, options)
  else await unitStatus(session, unitNameOf(word), options)
  return 0
}

async function fleetStatus({ api, out, signal }: Session, { output }: StatusOptions): Promise<void> {
  const [version, machines, units] = await Promise.all([
    api.request('GET', '/version', { signal }),
    listObjects(api, MACHINES, { signal }),
    listObjects(api, UNITS, { signal }),
  ])
  const { gitVersion = 'unknown' } = version.value as { gitVersion?: string }
  const summary = summarize(
    api.server,
    gitVersion,
    machines.items as unknown as readonly Readonly<Machine>[],
    units.items as unknown as readonly Readonly<Unit>[],
  )
  await out.write(output === 'json' ? `${JSON.stringify(summary, null, 2)}\n` : renderSummary(summary, out))
}

function renderSummary({ server, version, machines, units, trouble }: FleetSummary, { paint }: Output): string {
  const notReady = machines.total - machines.ready
  const lines = [
    `Server    ${server} (${version})`,
    `Machines  ${machines.total}${counts({ ready: machines.ready, 'not ready': notReady, cordoned: machines.cordoned })}`,
    `Units     ${units.total}${counts(units.byState)}`,
  ]
  const shown = trouble.slice(0, SHOWN_TROUBLE)
  for (const { object, text, look } of shown) lines.push('', paint('bad', `${object}: ${printable(text)}`), `  ${look}`)
  if (trouble.length > shown.length) lines.push('', `and ${trouble.length - shown.length} more: flotilla get units`)
  if (machines.total === 0) lines.push('', 'no machine has joined: "flotilla agent" makes a host one')
  else if (trouble.length === 0) lines.push('', paint('good', 'nothing is wrong'))
  return `${lines.join('\n')}\n`
}

function counts(of: Readonly<Record<string, number>>): string {
  const parts = Object.entries(of).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []))
  return parts.length > 0 ? `: ${parts.join(', ')}` : ''
}

async function unitStatus(session: Session, name: string, { output, lines }: StatusOptions): Promise<void> {
  const { api, out, signal } = session
  if (!/^\d{1,6}$/.test(lines)) throw new Error(`-n takes a whole number, not "${lines}"`)
  const object = await readObject(api, UNITS, name, { signal })
  const unit = object as Readonly<Unit>
  const log = holderOf(unit) && lines !== '0' ? await readLog(session, unit, Number(lines)) : { lines: [] }
  if (output === 'json') {
    await out.write(`${JSON.stringify({ unit: object, log: log.lines }, null, 2)}\n`)
    return
  }
  const text = log.lines.map((line) => renderLine({ ...line, message: printable(line.message) }, 'short', line.machine))
  await out.write(renderUnitStatus(unit, out.paint, new Date()) + (text.length > 0 ? `\n${text.join('')}` : ''))
  if (log.problem) out.note(`the log cannot be read: ${log.problem}`)
}

/** A status without its log is still one: the machine may be what is wrong. */
async function readLog(
  { api, signal }: Session,
  unit: Readonly<Unit>,
  lines: number,
): Promise<{ readonly lines: readonly JournalLine[]; readonly problem?: string }> {
  const found: JournalLine[] = []
  try {
    for await (const line of readJournal(api, { unit, follow: false, lines, signal, onNotice: () => {} }))
      found.push(line)
    return { lines: found }
  } catch (error) {
    signal.throwIfAborted()
    return { lines: found, problem: describeFailure(error) }
  }
}
