/** The driver's verbs with the gates of exclusive units before them: opened before a start, closed before a stop. */
import type { Outcome, UnitControl } from '../driver.ts'
import type { Exclusive } from './exclusive.ts'

type Verb = Exclude<keyof UnitControl, 'install'>

interface Target {
  readonly uid: string
  readonly unitName: string
}

export interface Gated {
  readonly driver: Pick<UnitControl, Verb>
  readonly exclusive: Pick<Exclusive, 'open' | 'close'>
  /** Whether a uid is that of an exclusive unit. */
  readonly isExclusive: (uid: string) => boolean
}

export async function drive(verb: Verb, targets: readonly Target[], gated: Gated): Promise<readonly Outcome[]> {
  const { driver, exclusive } = gated
  if (verb === 'stop' || verb === 'remove') {
    await Promise.all(targets.map(({ uid }) => exclusive.close(uid)))
    return driver[verb](targets.map(({ unitName }) => unitName))
  }
  const shut = (await Promise.all(targets.map((target) => openFor(target, gated)))).flat()
  const refused = new Set(shut.map(({ name }) => name))
  const free = targets.map(({ unitName }) => unitName).filter((name) => !refused.has(name))
  return [...shut, ...(free.length === 0 ? [] : await driver[verb](free))]
}

async function openFor({ uid, unitName }: Target, { exclusive, isExclusive }: Gated): Promise<readonly Outcome[]> {
  const refused = isExclusive(uid) ? await exclusive.open(uid) : undefined
  return refused === undefined ? [] : [{ name: unitName, refused }]
}
