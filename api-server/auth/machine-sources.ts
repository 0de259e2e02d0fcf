/**
 * What machines may read because their units name it: as Kubernetes' node authorizer, a machine gets a ConfigMap or a
 * Secret of namespace `default` exactly while a Unit that is placed on it or held by it takes something from there. A
 * watch that was allowed runs to its end.
 */
import type { Attributes } from './authorize.ts'
import { ownsUnit } from './authorize.ts'
import { type Identity, machineOf } from './identity.ts'

/** Units are cluster-scoped; what they read lies here. */
export const SOURCES_NAMESPACE = 'default'
const VERBS = new Set(['get', 'list', 'watch'])

interface Reference {
  readonly name?: string
}

/** The parts of a Unit that are looked at. */
export interface UnitWithSources {
  readonly spec?: {
    readonly machineName?: string
    readonly environment?: readonly { readonly configMapKeyRef?: Reference }[]
    readonly credentials?: readonly { readonly secretKeyRef?: Reference }[]
  }
  readonly status?: { readonly machineName?: string }
}

export class MachineSources {
  /** `secrets/NAME` to the units that take something from it, by their keys. */
  readonly #takers = new Map<string, Map<string, UnitWithSources>>()
  readonly #named = new Map<string, readonly string[]>()

  put(key: string, unit: UnitWithSources): void {
    this.remove(key)
    const named = namedBy(unit)
    if (named.length === 0) return
    const { spec, status } = unit
    const where = {
      spec: spec?.machineName === undefined ? {} : { machineName: spec.machineName },
      status: status?.machineName === undefined ? {} : { machineName: status.machineName },
    }
    this.#named.set(key, named)
    for (const source of named) {
      const takers = this.#takers.get(source) ?? new Map<string, UnitWithSources>()
      this.#takers.set(source, takers.set(key, where))
    }
  }

  remove(key: string): void {
    for (const source of this.#named.get(key) ?? []) {
      const takers = this.#takers.get(source)
      takers?.delete(key)
      if (takers?.size === 0) this.#takers.delete(source)
    }
    this.#named.delete(key)
  }

  /** Whether the caller is a machine that asks for one object which a unit of its own names. */
  allows(identity: Identity, asked: Attributes): boolean {
    if (asked.path !== undefined || machineOf(identity) === undefined) return false
    const { verb, group, resource, subresource, namespace, name } = asked
    if (!VERBS.has(verb) || group !== '' || subresource || namespace !== SOURCES_NAMESPACE || !name) return false
    const takers = this.#takers.get(`${resource}/${name}`)
    return takers !== undefined && [...takers.values()].some((unit) => ownsUnit(identity, unit))
  }
}

/** The Secrets that it takes something from, in its own order, repeated where it repeats them. */
export function secretsNamedBy({ spec }: UnitWithSources): readonly string[] {
  return (spec?.credentials ?? []).flatMap(({ secretKeyRef: ref }) => ref?.name ?? [])
}

function namedBy(unit: UnitWithSources): readonly string[] {
  const configMaps = (unit.spec?.environment ?? []).flatMap(({ configMapKeyRef: ref }) => ref?.name ?? [])
  const secrets = secretsNamedBy(unit)
  return [...new Set([...configMaps.map((name) => `configmaps/${name}`), ...secrets.map((name) => `secrets/${name}`)])]
}
