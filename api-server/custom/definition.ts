/** A CustomResourceDefinition as the rest of this folder reads it. */
import { CustomResourceDefinition } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { type Entry, objectOf } from '../registry/entry.ts'

export type Definition = Readonly<CustomResourceDefinition>
export type Names = Definition['spec']['names']
export type Version = Definition['spec']['versions'][number]

export const DEFINITION = CustomResourceDefinition as Kind

export function definitionOf(entry: Entry): Definition {
  return objectOf(entry) as unknown as Definition
}

export function isDeleting({ metadata }: Definition): boolean {
  return metadata.deletionTimestamp !== undefined
}

export function hasCondition({ status }: Definition, type: string): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True')
}
