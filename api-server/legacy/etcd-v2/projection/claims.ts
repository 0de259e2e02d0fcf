/**
 * Which object each key shows, as the watch cache has the objects now. Where several would be the same key the oldest has
 * it, so that no newcomer takes a key away; the others wait for it and are told.
 */
import type { ApiObject } from '../../../../crds/kind.ts'
import { type Entry, objectOf } from '../../../registry/entry.ts'
import { bytesOfText } from '../bytes.ts'
import { isFault, type Projection, type ShownNode } from './projection.ts'

export interface Claim {
  readonly projection: Projection
  readonly entry: Entry
  readonly object: ApiObject
  /** Key and value are byte strings. */
  readonly node: ShownNode
}

/** Told of objects that cannot be shown, each time they change. */
export type Complain = (claimant: Pick<Claim, 'entry' | 'object'>, why: string) => void

export class Claims {
  readonly #projection: Projection
  readonly #complain: Complain
  /** Oldest first. */
  readonly #byKey = new Map<string, readonly Claim[]>()
  readonly #keysOf = new Map<string, readonly string[]>()

  constructor(projection: Projection, complain: Complain) {
    this.#projection = projection
    this.#complain = complain
  }

  at(key: string): Claim | undefined {
    return this.#byKey.get(key)?.[0]
  }

  keys(): Iterable<string> {
    return this.#byKey.keys()
  }

  /** Takes over what became of an object; returns the keys that may have to change. */
  changed(key: string, entry: Entry | undefined): ReadonlySet<string> {
    const before = this.#keysOf.get(key) ?? []
    for (const each of before) this.#drop(each, key)
    this.#keysOf.delete(key)
    const claims = entry === undefined ? [] : this.#claimsOf(entry)
    for (const claim of claims) this.#add(claim)
    if (claims.length > 0)
      this.#keysOf.set(
        key,
        claims.map(({ node }) => node.key),
      )
    return new Set([...before, ...claims.map(({ node }) => node.key)])
  }

  #claimsOf(entry: Entry): Claim[] {
    const object = objectOf(entry)
    if (object.metadata.deletionTimestamp !== undefined) return [] // for old clients it is gone
    const showing = this.#projection.toNodes(object)
    if (!isFault(showing))
      return showing.map((node) => ({ projection: this.#projection, entry, object, node: bytesOf(node) }))
    this.#complain({ entry, object }, showing.fault)
    return []
  }

  #add(claim: Claim): void {
    const claims = [...(this.#byKey.get(claim.node.key) ?? []), claim].sort(byAge)
    this.#byKey.set(claim.node.key, claims)
    const [first] = claims
    for (const other of claims.slice(1))
      this.#complain(other, `the key ${claim.node.key} is already that of ${first?.entry.name}`)
  }

  #drop(key: string, object: string): void {
    const rest = (this.#byKey.get(key) ?? []).filter(({ entry }) => entry.key !== object)
    if (rest.length > 0) this.#byKey.set(key, rest)
    else this.#byKey.delete(key)
  }
}

function bytesOf({ key, value, expires }: ShownNode): ShownNode {
  return { key: bytesOfText(key), value: bytesOfText(value), expires }
}

function byAge(a: Claim, b: Claim): number {
  const [first, second] = [ageKey(a), ageKey(b)]
  return first < second ? -1 : first > second ? 1 : 0
}

function ageKey({ object, entry }: Claim): string {
  return `${object.metadata.creationTimestamp} ${entry.key}`
}
