/** `flotilla status`: the fleet, or one unit. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { isParent } from '../../crds/unit-set.ts'
import { renderLine } from '../../node-agent/serve/log-text.ts'
import type { Api } from './api.ts'
import { type FleetSummary, summarize } from './fleet-summary.ts'
import { MACHINES, UNITS } from './flotilla-types.ts'
import { asUnit, instancesOf } from './instances.ts'
import type { Output } from './output.ts'
import { printable } from './paint.ts'
import { listObjects, readObject } from './reading.ts'
import { objectPath } from './resources.ts'
import type { Session } from './session.ts'
import { isSetWell, renderSetStatus } from './set-status.ts'
import { newestOf } from './unit-log.ts'
import { unitNameOf } from './unit-name.ts'
import { isActive, renderUnitStatus } from './unit-status.ts'

export interface StatusOptions {
  readonly output?: string
  readonly lines: string
  /** Every instance of a set. */
  readonly all?: boolean
}

const SHOWN_TROUBLE = 20

/** What systemctl status says of units of which one is not active. */
const NOT_ACTIVE = 3

/** 0 when all that was asked for is active, 3 when not, as systemctl has it; of the fleet always 0. */
export async function status(session: Session, words: readonly string[], options: StatusOptions): Promise<number> {
  const { output, lines } = options
  if (output !== undefined && output !== 'json') throw new Error(`-o ${output} is unknown; there is json`)
  if (!/^\d{1,6}$/.test(lines)) throw new Error(`-n takes a whole number, not "${lines}"`)
  if (words.length > 0) return await unitsStatus(session, words.map(unitNameOf), options)
  await fleetStatus(session, options)
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

async function unitsStatus(
  session: Session,
  names: readonly string[],
  { output, lines, all = false }: StatusOptions,
): Promise<number> {
  const { api, out, signal } = session
  const asked: object[] = []
  let isAllActive = true
  for (const [at, name] of names.entries()) {
    const unit = asUnit(await readObject(api, UNITS, name, { signal }))
    const isSet = isParent(unit)
    isAllActive &&= isSet ? isSetWell(unit) : isActive(unit)
    if (at > 0 && output === undefined) await out.line('')
    const tell = isSet ? tellSet(session, unit, all, output) : tellUnit(session, unit, Number(lines), output)
    asked.push(await tell)
  }
  if (output === 'json') await out.write(`${JSON.stringify(asked.length === 1 ? asked[0] : asked, null, 2)}\n`)
  return isAllActive ? 0 : NOT_ACTIVE
}

/** What -o json says of it; in words it is written here. */
async function tellSet(
  { api, out, signal }: Session,
  set: Readonly<Unit>,
  isAll: boolean,
  output: string | undefined,
): Promise<object> {
  const instances = await instancesOf(api, set, signal)
  if (output === undefined) await out.write(renderSetStatus({ set, instances, isAll }, out.paint, new Date()))
  return { unit: set, instances }
}

async function tellUnit(
  { api, out, signal }: Session,
  unit: Readonly<Unit>,
  lines: number,
  output: string | undefined,
): Promise<object> {
  const [log, machineText] = await Promise.all([newestOf(api, unit, lines, signal), textOf(api, unit, signal)])
  if (output === 'json') return { unit, log: log.lines, text: machineText }
  const shown = log.lines.map((line) => renderLine({ ...line, message: printable(line.message) }, line.machine))
  const text = renderUnitStatus({ unit, machineText }, out.paint, new Date())
  await out.write(text + (shown.length > 0 ? `\n${shown.join('')}` : ''))
  if (log.problem) out.note(`the machine does not answer; this is what it said last: ${log.problem}`)
  return {}
}

/** Undefined where the machine cannot be asked: the log's reading says why. */
async function textOf(api: Api, unit: Readonly<Unit>, signal: AbortSignal): Promise<string | undefined> {
  if (!unit.status?.machineName) return undefined
  const pieces: Uint8Array[] = []
  try {
    const path = `${objectPath(UNITS, unit.metadata.name)}/status-text`
    for await (const piece of await api.stream(path, { accept: 'text/plain', silenceMs: SILENCE_MS, signal }))
      pieces.push(piece)
    return Buffer.concat(pieces).toString('utf8')
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

const SILENCE_MS = 10_000
