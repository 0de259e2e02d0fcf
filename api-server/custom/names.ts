/**
 * Which definition has which names. In a group a plural, singular or short name leads to one resource, and a kind to one
 * definition; what we serve ourselves is taken. Pure, and told from all definitions at once: whichever server looks, and
 * however often, the answer is the same.
 */
import type { Kind } from '../../crds/kind.ts'
import { type Definition, hasCondition, type Names } from './definition.ts'

/** What became of the names that a definition asks for. */
export interface Verdict {
  /** What it is served under: names asked for, or, where those are taken, the ones it had. */
  readonly accepted: Names
  readonly conflict: Conflict | undefined
  readonly isEstablished: boolean
}

export interface Conflict {
  readonly reason: string
  readonly message: string
}

/** By name of the definition. */
export function acceptNames(definitions: readonly Definition[], builtIn: readonly Kind[]): Map<string, Verdict> {
  const owners = builtInOwners(builtIn)
  const inOrder = definitions.toSorted(byAge)
  for (const definition of inOrder) for (const key of heldBy(definition)) claim(owners, key, definition.metadata.name)
  const established = inOrder.filter((definition) => hasCondition(definition, 'Established'))
  const others = inOrder.filter((definition) => !established.includes(definition))
  return new Map([...established, ...others].map((one) => [one.metadata.name, judge(one, owners)]))
}

/** Who has a name, by group and name; '' where it is our own. */
type Owners = Map<string, string>

function builtInOwners(builtIn: readonly Kind[]): Owners {
  const owners: Owners = new Map()
  for (const { group, kind, plural, singular, shortNames } of builtIn)
    for (const key of keysOf(group, { plural, singular, kind, shortNames: [...shortNames], listKind: `${kind}List` }))
      owners.set(key, '')
  return owners
}

function byAge(a: Definition, b: Definition): number {
  const [one, other] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.name}`)
  return (one ?? '') < (other ?? '') ? -1 : 1
}

function heldBy({ spec, status }: Definition): string[] {
  return status?.acceptedNames ? keysOf(spec.group, status.acceptedNames) : []
}

function keysOf(group: string, { plural, singular, shortNames = [], kind, listKind }: Names): string[] {
  const resources = [plural, singular, ...shortNames].map((name) => resourceKey(group, name))
  return [...resources, kindKey(group, kind), kindKey(group, listKind)].filter((key) => key !== '')
}

const resourceKey = (group: string, name: string | undefined) => (name ? `${group} resource ${name}` : '')
const kindKey = (group: string, name: string | undefined) => (name ? `${group} kind ${name}` : '')

/** Whether the name is, now, that of `owner`. */
function claim(owners: Owners, key: string, owner: string): boolean {
  const holder = owners.get(key) ?? owner
  owners.set(key, holder)
  return holder === owner
}

function judge(definition: Definition, owners: Owners): Verdict {
  const { spec, status, metadata } = definition
  const { names, group } = spec
  const before = status?.acceptedNames
  let conflict: Conflict | undefined
  const take = (key: string, name: string, reason: string): boolean => {
    if (claim(owners, key, metadata.name)) return true
    conflict ??= { reason, message: taken(name, owners.get(key) ?? '') }
    return false
  }
  const resource = (name: string, reason: string) => take(resourceKey(group, name), name, reason)
  const kind = (name: string, reason: string) => take(kindKey(group, name), name, reason)
  const { singular = '', listKind = '', shortNames = [], categories } = names
  const accepted: Names = {
    plural: resource(names.plural, 'PluralConflict') ? names.plural : mine(before?.plural),
    singular: resource(singular, 'SingularConflict') ? singular : mine(before?.singular),
    kind: kind(names.kind, 'KindConflict') ? names.kind : mine(before?.kind),
    listKind: kind(listKind, 'ListKindConflict') ? listKind : mine(before?.listKind),
    ...(shortNames.length > 0 && { shortNames: shortNames.filter((name) => resource(name, 'ShortNamesConflict')) }),
    ...(categories && { categories }),
  }
  const isServable = owners.get(resourceKey(group, accepted.plural)) === metadata.name && accepted.kind !== ''
  const isEstablished = isServable && (conflict === undefined || hasCondition(definition, 'Established'))
  return { accepted, conflict, isEstablished }
}

function mine(name: string | undefined): string {
  return name ?? ''
}

function taken(name: string, owner: string): string {
  const why = owner === '' ? ': it is built into this server, which needs no definition for it' : ` by ${owner}`
  return `${JSON.stringify(name)} is already in use${why}`
}
