/** `flotilla kill`: a signal to the processes of units, on whichever machine they are. */
import { isParent } from '../../crds/unit-set.ts'
import { UNITS } from './flotilla-types.ts'
import { asUnit, holderOf, instancesOf } from './instances.ts'
import { printable } from './paint.ts'
import { readObject } from './reading.ts'
import type { Session } from './session.ts'
import { actOn } from './unit-action.ts'
import { unitNameOf } from './unit-name.ts'

export interface KillOptions {
  readonly signal: string
  readonly killWho: string
}

/** 1 when one of them could not be reached. */
export async function kill(session: Session, words: readonly string[], options: KillOptions): Promise<number> {
  const { api, out, signal } = session
  let missed = 0
  for (const name of words.map(unitNameOf)) {
    const unit = asUnit(await readObject(api, UNITS, name, { signal }))
    for (const each of isParent(unit) ? await instancesOf(api, unit, signal) : [unit]) {
      const query = { do: 'kill', signal: options.signal, who: options.killWho }
      const { refused } = await actOn(api, each.metadata.name, query, signal)
      if (refused === undefined) await out.line(`${each.metadata.name} on ${holderOf(each)}: ${options.signal} sent`)
      else out.note(`${each.metadata.name} on ${holderOf(each)}: ${printable(refused)}`)
      if (refused !== undefined) missed++
    }
  }
  return missed > 0 ? 1 : 0
}
