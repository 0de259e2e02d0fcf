/** One request of fleet's API on its way, and what becomes of it. */
import type { IncomingMessage } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Machine as MachineKind, Unit as UnitKind } from '../../../crds/index.ts'
import type { Kind } from '../../../crds/kind.ts'
import type { Entry } from '../../registry/entry.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Demand } from './access.ts'
import { type MachineOf, type SeenMachine, type SeenUnit, seenMachine, seenUnit } from './fleet-objects.ts'
import type { BodyReader } from './request-body.ts'

export const UNIT = UnitKind as Kind
export const MACHINE = MachineKind as Kind

export interface Call {
  readonly registry: Registry
  readonly demand: Demand
  readonly bodies: BodyReader
  readonly request: IncomingMessage
  readonly query: URLSearchParams
  /** What stands behind the collection's path, decoded; undefined for the collection itself. */
  readonly item: string | undefined
}

/** `body` is sent as JSON; without one the answer is empty. */
export interface Answer {
  readonly status: number
  readonly body?: unknown
}

/** The first time each has to be read: others get their turn in between. */
const UNITS_A_TURN = 500

/** All that are there now, copies and all, by name. */
export async function seenUnits(call: Call): Promise<SeenUnit[]> {
  const seen: SeenUnit[] = []
  for (const entry of [...entriesOf(call, UNIT)]) {
    if (seen.length % UNITS_A_TURN === UNITS_A_TURN - 1) await nextTurn()
    seen.push(seenUnit(entry))
  }
  return seen
}

export function entriesOf({ registry }: Call, kind: Kind): Generator<Entry> {
  return registry.feed.cache(kind).entries.from('')
}

/** Looks each machine up as it is asked for. */
export function machineFinder({ registry }: Call): MachineOf {
  const find = (name: string): SeenMachine | undefined => {
    const entry = registry.find({ kind: MACHINE, namespace: undefined, name })
    return entry && seenMachine(entry)
  }
  return (name) => (name === undefined ? undefined : find(name))
}

/** Empty lists are left out, as everything empty is. */
export function listBody(name: string, items: readonly unknown[], nextPageToken: string | undefined): object {
  return { ...(nextPageToken !== undefined && { nextPageToken }), ...(items.length > 0 && { [name]: items }) }
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
