/** Where units are, and which of them are the instances of a set. */
import type { ApiObject } from '../../crds/kind.ts'
import type { Unit } from '../../crds/unit.ts'
import { parentUid } from '../../crds/unit-set.ts'
import type { Api } from './api.ts'
import { UNITS } from './flotilla-types.ts'
import { listObjects } from './reading.ts'

/** The machine that holds it, else the one that should; undefined while it is on none. */
export function holderOf({ spec, status }: Readonly<Unit>): string | undefined {
  return status?.machineName || spec.machineName || undefined
}

export function isInstanceOf(unit: Readonly<Unit>, { metadata }: Readonly<Unit>): boolean {
  return metadata.uid !== undefined && parentUid(unit) === metadata.uid
}

/** In the order of their names, `web@2` before `web@10`. */
export async function instancesOf(api: Api, set: Readonly<Unit>, signal: AbortSignal): Promise<Readonly<Unit>[]> {
  const { items } = await listObjects(api, UNITS, { signal })
  return items
    .map(asUnit)
    .filter((unit) => isInstanceOf(unit, set))
    .toSorted(byName)
}

export function asUnit(object: ApiObject | Readonly<Record<string, unknown>>): Readonly<Unit> {
  return object as unknown as Readonly<Unit>
}

export function byName(one: Readonly<Unit>, other: Readonly<Unit>): number {
  return one.metadata.name.localeCompare(other.metadata.name, 'en', { numeric: true })
}
