/**
 * `flotilla start`, `stop`, `load`, `unload`: fleet's words for spec.desiredState, which is all that is written. Then it is
 * waited for that the machine has made it so.
 */

import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import { findCondition } from '../../controllers/lib/conditions.ts'
import type { Unit } from '../../crds/unit.ts'
import { isParent } from '../../crds/unit-set.ts'
import type { Api } from './api.ts'
import { parseDurationMs } from './duration.ts'
import { UNITS } from './flotilla-types.ts'
import { asUnit } from './instances.ts'
import { printable } from './paint.ts'
import { readObject } from './reading.ts'
import { objectPath } from './resources.ts'
import type { Session } from './session.ts'
import { unitNameOf } from './unit-name.ts'

export type DesiredState = Unit['spec']['desiredState']

export interface DesireOptions {
  readonly timeout: string
  /** `--no-wait` makes it false. */
  readonly wait: boolean
}

const LOOK_MS = 150
const MERGE = 'application/merge-patch+json'
const DONE: Readonly<Record<DesiredState, string>> = { launched: 'runs', loaded: 'is loaded', inactive: 'is unloaded' }
/** Nothing comes of waiting on. */
const HOPELESS = new Set(['Failed', 'Refused', 'NotSupported'])

/** 1 when one of them did not get there in time, or cannot. */
export async function desire(
  session: Session,
  state: DesiredState,
  words: readonly string[],
  { timeout, wait }: DesireOptions,
): Promise<number> {
  const { api, out, signal } = session
  const timeoutMs = parseDurationMs(timeout)
  const patched: Readonly<Unit>[] = []
  for (const name of words.map(unitNameOf)) {
    const body = { spec: { desiredState: state } }
    const options = { body, contentType: MERGE, signal }
    patched.push(
      asUnit((await api.request('PATCH', `${objectPath(UNITS, name)}?fieldManager=flotilla`, options)).value as Unit),
    )
  }
  if (!wait) return 0
  const untilMs = performance.now() + timeoutMs
  const results = await Promise.all(patched.map((unit) => follow(api, unit, untilMs, signal)))
  for (const { name, isThere, text } of results) {
    if (isThere) await out.line(text)
    else out.note(`${text}\n  flotilla why ${name}`)
  }
  return results.every(({ isThere }) => isThere) ? 0 : 1
}

interface Result {
  readonly name: string
  readonly isThere: boolean
  readonly text: string
}

async function follow(api: Api, patched: Readonly<Unit>, untilMs: number, signal: AbortSignal): Promise<Result> {
  const { name, generation = 0 } = patched.metadata
  for (;;) {
    const unit = asUnit(await readObject(api, UNITS, name, { signal }))
    const verdict = verdictOf(unit, generation)
    if (verdict !== undefined) return { name, ...verdict }
    if (performance.now() > untilMs)
      return { name, isThere: false, text: `${name} is not there yet: ${lastWord(unit)}` }
    await sleep(systemClock, LOOK_MS, signal)
    signal.throwIfAborted()
  }
}

/** Undefined while it is on its way. What was said of an older spec does not count. */
export function verdictOf(unit: Readonly<Unit>, generation: number): Omit<Result, 'name'> | undefined {
  const { desiredState } = unit.spec
  const done = { isThere: true, text: `${unit.metadata.name} ${DONE[desiredState]}${whereText(unit)}` }
  if (isParent(unit)) return isSetThere(unit, generation) ? done : undefined
  if (desiredState === 'inactive') return unit.status?.machineName ? undefined : done
  const active = findCondition(unit.status?.conditions, 'Active')
  if (active === undefined || (active.observedGeneration ?? 0) < generation) return undefined
  if (HOPELESS.has(active.reason))
    return { isThere: false, text: `${unit.metadata.name}: ${printable(active.message)}` }
  if (desiredState === 'launched') return active.status === 'True' || active.reason === 'Completed' ? done : undefined
  const isAtRest = ['inactive', 'failed'].includes(unit.status?.systemd?.activeState ?? '')
  return isAtRest && unit.status?.currentState === 'loaded' ? done : undefined
}

function isSetThere({ spec, status }: Readonly<Unit>, generation: number): boolean {
  if ((status?.observedGeneration ?? 0) < generation) return false
  const { readyReplicas = 0, activeReplicas = 0, desiredReplicas = spec.replicas ?? 0 } = status ?? {}
  return spec.desiredState === 'launched' ? readyReplicas >= desiredReplicas : activeReplicas === 0
}

function whereText({ spec, status }: Readonly<Unit>): string {
  return spec.desiredState !== 'inactive' && status?.machineName ? ` on ${status.machineName}` : ''
}

function lastWord({ status }: Readonly<Unit>): string {
  const conditions = status?.conditions ?? []
  const wrong = conditions.find(({ status: is }) => is === 'False') ?? conditions[0]
  return wrong ? printable(`${wrong.reason}: ${wrong.message}`) : 'nobody has looked at it'
}
