/** A CustomResourceDefinition as the rest of this folder reads it. */
import { CustomResourceDefinition } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { type Entry, objectOf } from '../registry/entry.ts'

export type Definition = Readonly<CustomResourceDefinition>
export type Names = Definition['spec']['names']
export type Version = Definition['spec']['versions'][number]

export const DEFINITION = CustomResourceDefinition as Kind

const read = new WeakMap<Entry, Definition>()

/** Parsed once: definitions are large, and every pass looks at all of them. */
export function definitionOf(entry: Entry): Definition {
  let definition = read.get(entry)
  if (definition === undefined) {
    definition = objectOf(entry) as unknown as Definition
    read.set(entry, definition)
  }
  return definition
}

export function isDeleting({ metadata }: Definition): boolean {
  return metadata.deletionTimestamp !== undefined
}

export function hasCondition({ status }: Definition, type: string): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True')
}
