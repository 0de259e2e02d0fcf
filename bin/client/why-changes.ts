/**
 * Who changed last what decides about a unit, and when: from managedFields, which outlive Events. Pure.
 */
import { age } from '../../crds/age.ts'
import type { Unit } from '../../crds/unit.ts'

interface Entry {
  readonly manager: string
  readonly time: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Fields of the spec, and what it means that somebody set them. */
const TOLD: Readonly<Record<string, string>> = {
  machineName: 'placed there',
  content: 'content set',
  desiredState: 'desiredState set',
}

export function changesOf({ metadata, status }: Readonly<Unit>, now: Date): string[] {
  const entries = (metadata.managedFields ?? []).flatMap(entryOf)
  const revision = status?.hash ? [`revision ${status.hash.slice(0, 7)}, generation ${metadata.generation ?? 1}`] : []
  return [
    ...revision,
    ...Object.entries(TOLD).flatMap(([field, words]) => {
      const newest = entries
        .filter(({ fields }) => `f:${field}` in fields)
        .toSorted(byTime)
        .at(-1)
      return newest ? [`${words} by ${newest.manager}, ${age(newest.time, now)} ago`] : []
    }),
  ]
}

function byTime(a: Entry, b: Entry): number {
  return a.time < b.time ? -1 : 1
}

function entryOf(entry: unknown): Entry[] {
  const { manager, time, subresource, fieldsV1 } = (entry ?? {}) as Readonly<Record<string, unknown>>
  const fields = (fieldsV1 as Readonly<Record<string, unknown>> | undefined)?.['f:spec']
  if (typeof manager !== 'string' || typeof time !== 'string' || typeof fields !== 'object' || fields === null)
    return []
  return subresource ? [] : [{ manager, time, fields: fields as Readonly<Record<string, unknown>> }]
}
