/**
 * What something that is to be placed asks for, read once: the rules know nothing of Units, so that Pods can be held to
 * the same ones. [X-Fleet] and `spec.placement` both hold (D1).
 */
import { isDeepStrictEqual } from 'node:util'
import type { LabelSelector } from '../../crds/metadata.ts'
import type { Unit } from '../../crds/unit.ts'
import { parseUnitName } from '../../crds/unit-name.ts'
import { keyValue, readXFleet } from '../../crds/x-fleet.ts'
import { type Quantities, quantities } from './quantity.ts'

type Placement = NonNullable<Unit['spec']['placement']>
export type Toleration = NonNullable<Placement['tolerations']>[number]
export type Spread = NonNullable<Placement['spread']>[number]
export type Preferred = NonNullable<Placement['preferred']>[number]

export interface MetadataAsk {
  readonly key: string
  /** Any of them. */
  readonly values: readonly string[]
}

export interface Ask {
  /** Of the object; unique. */
  readonly name: string
  /** Its name on the machine, by which others mean it. */
  readonly alias: string
  readonly labels: Readonly<Record<string, string>>
  /** All must be those of the machine. */
  readonly machineIds: readonly string[]
  /** All must hold. */
  readonly metadata: readonly MetadataAsk[]
  readonly selectors: readonly LabelSelector[]
  readonly tolerations: readonly Toleration[]
  readonly preferred: readonly Preferred[]
  readonly peers: readonly string[]
  /** Globs. */
  readonly conflicts: readonly string[]
  readonly replaces: readonly string[]
  readonly spread: readonly Spread[]
  readonly maxPerMachine: number | undefined
  /** What counts together for spread and maxPerMachine: an entry of `groupsOf`. */
  readonly group: string
  /** A label by whose value asks count together. */
  readonly countBy: string | undefined
  /** cpu in thousandths, the rest in whole units; one unit of `units` is asked for by everything. */
  readonly requests: Quantities
  /** Alike for all asks with the same requests. */
  readonly requestsKey: string
  /** Alike for all asks to which a machine by itself (what is placed there aside) is the same. */
  readonly signature: string
}

const memo = new WeakMap<Readonly<Unit>, Ask>()

/** Remembered by object: informers never change one in place. */
export function askOf(unit: Readonly<Unit>): Ask {
  let known = memo.get(unit)
  if (!known) {
    known = readAsk(unit)
    memo.set(unit, known)
  }
  return known
}

/** The same ask for what asks the same: nothing that is kept by it need change. */
export function askAgain(unit: Readonly<Unit>, before: Readonly<Unit>): Ask {
  const known = memo.get(before)
  if (!known || memo.has(unit) || !asksTheSame(unit, before)) return askOf(unit)
  memo.set(unit, known)
  return known
}

/** Everything that `readAsk` reads. */
function asksTheSame({ metadata: a, spec: x }: Readonly<Unit>, { metadata: b, spec: y }: Readonly<Unit>): boolean {
  if (a.name !== b.name || x.content !== y.content || x.unitName !== y.unitName) return false
  return (
    isSame(x.placement, y.placement) &&
    isSame(x.resources?.requests, y.resources?.requests) &&
    isSame(a.labels, b.labels) &&
    isSame(a.ownerReferences, b.ownerReferences)
  )
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && isDeepStrictEqual(a, b))
}

function readAsk({ metadata, spec }: Readonly<Unit>): Ask {
  const { placement = {} } = spec
  const alias = spec.unitName ?? metadata.name
  const file = readXFleet(spec.content, alias)
  const labels = metadata.labels ?? {}
  const fixed = {
    machineIds: [file.machineId, placement.machineID].filter((id) => id !== undefined && id !== '') as string[],
    metadata: [...metadataOf(file.machineMetadata), ...metadataOf(placement.machineMetadata)],
    selectors: placement.machineSelector ? [placement.machineSelector] : [],
    tolerations: placement.tolerations ?? [],
    preferred: placement.preferred ?? [],
  }
  const requests = spec.resources?.requests ? quantities(spec.resources.requests, Math.ceil) : NO_REQUESTS
  return {
    ...{ name: metadata.name, alias, labels, ...fixed },
    // It is always where it is itself; to fleet that was a unit that waits for ever.
    peers: both(file.machineOf, placement.machineOf).filter((peer) => peer !== alias),
    conflicts: both(file.conflicts, placement.conflicts),
    replaces: both(file.replaces, placement.replaces),
    spread: placement.spread ?? [],
    maxPerMachine: placement.maxPerMachine,
    group: groupOf(metadata, alias, placement.countBy),
    countBy: placement.countBy,
    requests,
    requestsKey: [...requests].join(),
    signature: Object.values(fixed).every(({ length }) => length === 0) ? '' : JSON.stringify(fixed),
  }
}

const NONE: readonly string[] = []

/** Each once. */
function both(some: readonly string[], others: readonly string[] = NONE): readonly string[] {
  return some.length + others.length === 0 ? NONE : [...new Set([...some, ...others])]
}

const NO_REQUESTS: Quantities = new Map()

/** Same key: any of the values. What is not key=value means nothing. */
function metadataOf(pairs: readonly string[] = NONE): MetadataAsk[] {
  if (pairs.length === 0) return []
  const values = new Map<string, string[]>()
  for (const [key, value] of pairs.flatMap((pair) => [keyValue(pair) ?? []]))
    if (key !== undefined && value !== undefined) values.set(key, [...(values.get(key) ?? []), value])
  return [...values].map(([key, each]) => ({ key, values: each }))
}

function groupOf(metadata: Readonly<Unit['metadata']>, alias: string, countBy: string | undefined): string {
  if (countBy !== undefined) return labelGroup(countBy, metadata.labels ?? {}) ?? `self ${metadata.name}`
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (owner) return `owner ${owner.uid}`
  const { prefix, instance, type } = parseUnitName(alias)
  return instance === undefined ? `self ${metadata.name}` : `instances ${prefix}@.${type}`
}

/** Undefined for those that lack the label: they count for themselves. */
export function labelGroup(key: string, labels: Readonly<Record<string, string>>): string | undefined {
  const value = labels[key]
  return value === undefined ? undefined : `label ${key}=${value}`
}
