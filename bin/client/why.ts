/** `flotilla why`: reads what belongs to the question, and lays the answer out. */

import { isApiError } from '../../controllers/lib/api-error.ts'
import { diagnose } from '../../controllers/scheduler/diagnose.ts'
import { age } from '../../crds/age.ts'
import type { Event } from '../../crds/core/index.ts'
import { fieldEquals } from '../../crds/field-selector.ts'
import type { ApiObject } from '../../crds/kind.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { eventsOf } from './events.ts'
import type { Explanation } from './explanation.ts'
import { MACHINES, UNITS } from './flotilla-types.ts'
import type { Output } from './output.ts'
import { printable } from './paint.ts'
import { listObjects, readObject } from './reading.ts'
import type { Session } from './session.ts'
import { unitNameOf } from './unit-name.ts'
import { whyMachine } from './why-machine.ts'
import { whyUnit } from './why-unit.ts'

const SHOWN_EVENTS = 8

export async function why(session: Session, word: string): Promise<number> {
  const { api, out, signal } = session
  const machineName = /^(?:machines?|ma)(?:\.flotilla\.dev)?\/(.+)$/i.exec(word)?.[1]
  const { object, explanation } =
    machineName === undefined ? await aboutUnit(session, unitNameOf(word)) : await aboutMachine(session, machineName)
  const events = await eventsOf(api, object, signal)
  await out.write(layOut(object, explanation, events, out))
  return 0
}

interface Answer {
  readonly object: ApiObject
  readonly explanation: Explanation
}

async function aboutUnit({ api, signal }: Session, name: string): Promise<Answer> {
  const object = await readObject(api, UNITS, name, { signal })
  const unit = object as Readonly<Unit>
  const { machineName } = unit.spec
  const machine = machineName ? await findMachine({ api, signal }, machineName) : undefined
  const diagnosis = machineName ? undefined : await askMachines({ api, signal }, unit)
  return { object, explanation: whyUnit({ unit, machine, diagnosis, now: new Date() }) }
}

/** The scheduler's own rules, over everything there is: its condition has room for a summary only. */
async function askMachines({ api, signal }: Pick<Session, 'api' | 'signal'>, unit: Readonly<Unit>) {
  const [machines, units] = await Promise.all([
    listObjects(api, MACHINES, { signal }),
    listObjects(api, UNITS, { signal }),
  ])
  return diagnose(
    unit,
    machines.items as unknown as readonly Readonly<Machine>[],
    units.items as unknown as readonly Readonly<Unit>[],
  )
}

async function findMachine(
  { api, signal }: Pick<Session, 'api' | 'signal'>,
  name: string,
): Promise<Readonly<Machine> | undefined> {
  try {
    return (await readObject(api, MACHINES, name, { signal })) as unknown as Readonly<Machine>
  } catch (error) {
    if (isApiError(error, 404)) return undefined
    throw error
  }
}

async function aboutMachine({ api, signal }: Session, name: string): Promise<Answer> {
  const object = await readObject(api, MACHINES, name, { signal })
  const { items } = await listObjects(api, UNITS, { fieldSelector: fieldEquals('spec.machineName', name), signal })
  const sight = {
    machine: object as unknown as Readonly<Machine>,
    units: items as unknown as readonly Readonly<Unit>[],
  }
  return { object, explanation: whyMachine(sight) }
}

function layOut(
  { kind, metadata }: ApiObject,
  { verdict, tone, because, next }: Explanation,
  events: readonly Readonly<Event>[],
  { paint }: Output,
): string {
  const now = new Date()
  const shown = events.slice(-SHOWN_EVENTS)
  const lines = [
    paint(tone, `${kind.toLowerCase()}/${metadata.name} ${verdict}`),
    ...because.map((fact) => `  ${printable(fact)}`),
    ...(shown.length > 0 ? ['', paint('bold', 'What happened (newest last)')] : []),
    ...shown.map((event) => `  ${eventLine(event, now)}`),
    ...(next.length > 0 ? ['', paint('bold', 'Next')] : []),
    ...next.map((step) => `  ${step}`),
  ]
  return `${lines.join('\n')}\n`
}

function eventLine(event: Readonly<Event>, now: Date): string {
  const { lastTimestamp, eventTime, count = 1, reason = '', message = '', metadata } = event
  const when = age(lastTimestamp ?? eventTime ?? metadata.creationTimestamp, now)
  const times = count > 1 ? ` (${count} times)` : ''
  return printable(`${when.padStart(6)} ago${times}  ${reason}: ${message}`)
}
