/** Whose log is asked for: units by name, the instances of sets, units by label, whole machines. */
import { fieldEquals } from '../../crds/field-selector.ts'
import type { Unit } from '../../crds/unit.ts'
import { isParent } from '../../crds/unit-set.ts'
import type { Api } from './api.ts'
import { UNITS } from './flotilla-types.ts'
import { asUnit, byName, isInstanceOf } from './instances.ts'
import { listObjects, readObject } from './reading.ts'
import { unitNameOf } from './unit-name.ts'
import { followChanges } from './watching.ts'

/** Units that are looked for together, and watched together. */
export interface Crowd {
  readonly selection: { readonly fieldSelector?: string; readonly labelSelector?: string }
  readonly matches: (unit: Readonly<Unit>) => boolean
  /** One unit by name: with it all is over. */
  readonly single?: string
}

export interface Subjects {
  readonly machines: readonly string[]
  readonly crowds: readonly Crowd[]
}

const MACHINE = /^(?:machines?|ma)(?:\.flotilla\.dev)?\/(.+)$/i

/** Rejects with ApiError for a unit that there is not, in a sentence for words that make no sense. */
export async function subjectsOf(
  api: Api,
  words: readonly string[],
  labelSelector: string | undefined,
  signal: AbortSignal,
): Promise<Subjects> {
  if (words.length === 0 && labelSelector === undefined)
    throw new Error('name a unit, machine/NAME, or give -l: flotilla journal web -f')
  const machines = words.flatMap((word) => MACHINE.exec(word)?.[1] ?? [])
  const names = words.filter((word) => !MACHINE.test(word)).map(unitNameOf)
  const crowds = await Promise.all(
    names.map(async (name) => crowdOf(asUnit(await readObject(api, UNITS, name, { signal })))),
  )
  const labelled = labelSelector === undefined ? [] : [{ selection: { labelSelector }, matches: isNoSet }]
  return { machines, crowds: [...crowds, ...labelled] }
}

/** Nothing but the reference to its set tells an instance, and no selector knows that: all units are looked at. */
function crowdOf(unit: Readonly<Unit>): Crowd {
  const { name } = unit.metadata
  if (isParent(unit)) return { selection: {}, matches: (other) => isInstanceOf(other, unit) }
  return { selection: { fieldSelector: fieldEquals('metadata.name', name) }, matches: () => true, single: name }
}

function isNoSet(unit: Readonly<Unit>): boolean {
  return !isParent(unit)
}

export interface Found {
  /** In the order of their names, each once. */
  readonly units: readonly Readonly<Unit>[]
  /** Of each crowd, where its watch begins. */
  readonly versions: readonly string[]
}

export async function findUnits(api: Api, crowds: readonly Crowd[], signal: AbortSignal): Promise<Found> {
  const found = new Map<string, Readonly<Unit>>()
  const versions: string[] = []
  for (const { selection, matches } of crowds) {
    const { items, resourceVersion } = await listObjects(api, UNITS, { ...selection, signal })
    for (const unit of items.map(asUnit)) if (matches(unit)) found.set(unit.metadata.name, unit)
    versions.push(resourceVersion)
  }
  return { units: [...found.values()].toSorted(byName), versions }
}

export interface Sight {
  readonly see: (unit: Readonly<Unit>) => void
  readonly gone: (name: string, crowd: Crowd) => void
}

/** Tells what becomes of a crowd until the signal fires; rejects where the server refuses for good. */
export async function watchCrowd(
  api: Api,
  crowd: Crowd,
  resourceVersion: string,
  { see, gone }: Sight,
  signal: AbortSignal,
): Promise<void> {
  const { selection, matches } = crowd
  const known = new Set<string>()
  const note = (unit: Readonly<Unit>): void => {
    known.add(unit.metadata.name)
    see(unit)
  }
  const relist = async (): Promise<string> => {
    const list = await listObjects(api, UNITS, { ...selection, signal })
    const units = list.items.map(asUnit).filter(matches)
    const names = new Set(units.map(({ metadata }) => metadata.name))
    for (const name of known) if (!names.has(name)) gone(name, crowd)
    for (const unit of units) note(unit)
    return list.resourceVersion
  }
  const options = { ...selection, accept: 'application/json', resourceVersion, relist, onConnection: () => {}, signal }
  for await (const { type, object } of followChanges(api, UNITS, options)) {
    const unit = asUnit(object)
    if (!matches(unit)) continue
    if (type === 'DELETED') gone(unit.metadata.name, crowd)
    else note(unit)
  }
}
