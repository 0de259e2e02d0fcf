/**
 * `flotilla restart`: the processes are stopped and started where they are, and the command ends when they are up again.
 * A set goes as its rolls do: no more than maxUnavailable at a time, and no further once one has not come up.
 */
import { maxUnavailableOf } from '../../controllers/unit-set/roll.ts'
import type { Unit } from '../../crds/unit.ts'
import { isParent } from '../../crds/unit-set.ts'
import type { ActionAnswer } from '../../node-agent/serve/action.ts'
import type { Api } from './api.ts'
import { describeFailure } from './failure.ts'
import { UNITS } from './flotilla-types.ts'
import { inOrder } from './in-order.ts'
import { asUnit, holderOf, instancesOf } from './instances.ts'
import { printable } from './paint.ts'
import { readObject } from './reading.ts'
import type { Session } from './session.ts'
import { actOn } from './unit-action.ts'
import { unitNameOf } from './unit-name.ts'
import { isActive } from './unit-status.ts'

/** 1 when something did not come up. */
export async function restart(session: Session, words: readonly string[]): Promise<number> {
  const { api, signal } = session
  for (const name of words.map(unitNameOf)) {
    const unit = asUnit(await readObject(api, UNITS, name, { signal }))
    const isUp = isParent(unit) ? await restartSet(session, unit) : await restartAll(session, [checked(unit)], 1)
    if (!isUp) return 1
  }
  return 0
}

/** What nobody wants to run is not started behind their back. */
function checked(unit: Readonly<Unit>): Readonly<Unit> {
  const { name } = unit.metadata
  if (unit.spec.desiredState === 'launched' || isActive(unit)) return unit
  throw new Error(`${name} is not to run (desiredState ${unit.spec.desiredState}): flotilla start ${name}`)
}

async function restartSet(session: Session, set: Readonly<Unit>): Promise<boolean> {
  const { api, out, signal } = session
  const { name } = set.metadata
  const instances = await instancesOf(api, set, signal)
  const placed = instances.filter((unit) => holderOf(unit) !== undefined)
  if (placed.length === 0) throw new Error(`no instance of ${name} is on any machine: flotilla why ${name}`)
  const atOnce = maxUnavailableOf(set.spec.maxUnavailable, instances.length)
  if (atOnce === 0) throw new Error(`${name} has maxUnavailable 0, which holds it: restart its instances by name`)
  if (placed.length < instances.length) out.note(`${instances.length - placed.length} instances are on no machine`)
  return await restartAll(session, placed.map(checked), atOnce)
}

interface Ended {
  readonly unit: Readonly<Unit>
  readonly answer: ActionAnswer
}

class NotUpError extends Error {}

async function restartAll(
  { api, out, signal }: Session,
  units: readonly Readonly<Unit>[],
  atOnce: number,
): Promise<boolean> {
  const work = async (unit: Readonly<Unit>): Promise<Ended> => ({ unit, answer: await restartOne(api, unit, signal) })
  let told = 0
  try {
    await inOrder(units, atOnce, work, async ({ unit, answer }) => {
      told++
      if (answer.refused === undefined) return await out.line(upText(unit, answer))
      out.note(downText(unit, answer.refused))
      throw new NotUpError()
    })
    return true
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof NotUpError)) throw error
    if (told < units.length) out.note(`stopped there: ${units.length - told} of ${units.length} were not restarted`)
    return false
  }
}

/** Never rejects: one that cannot be asked has not been restarted, and that is its answer. */
async function restartOne(api: Api, unit: Readonly<Unit>, signal: AbortSignal): Promise<ActionAnswer> {
  try {
    const answer = await actOn(api, unit.metadata.name, { do: 'restart' }, signal)
    const { activeState = '', subState = '', result } = answer.after ?? {}
    if (answer.refused !== undefined || activeState === 'active' || hasEndedWell(activeState, result)) return answer
    return { ...answer, refused: `it is ${activeState} (${subState})` }
  } catch (error) {
    return { refused: describeFailure(error) }
  }
}

/** A service that does its work and ends. */
function hasEndedWell(activeState: string, result: string | undefined): boolean {
  return activeState === 'inactive' && result === 'success'
}

function upText(unit: Readonly<Unit>, { before, after }: ActionAnswer): string {
  const { name } = unit.metadata
  const pids = after?.mainPID ? `, process ${before?.mainPID || 'none'} -> ${after.mainPID}` : ''
  return `${name} restarted on ${holderOf(unit)}: ${after?.activeState} (${after?.subState})${pids}`
}

function downText(unit: Readonly<Unit>, why: string): string {
  const { name } = unit.metadata
  return `${name} was not restarted on ${holderOf(unit)}: ${printable(why)}\n  flotilla journal ${name} -n 50`
}
