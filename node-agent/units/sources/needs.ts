/** Which ConfigMaps and Secrets the units of a machine name, all in namespace `default`. */
import type { Unit } from '../../../crds/unit.ts'

/** One key of one Secret under the name that a service knows it by. */
export interface SecretUse {
  readonly secret: string
  readonly key: string
  readonly credential: string
}

export interface Needs {
  readonly configMaps: ReadonlySet<string>
  /** By the Secret's name; each use once. */
  readonly secrets: ReadonlyMap<string, readonly SecretUse[]>
}

export function needsOf(units: Iterable<Readonly<Unit>>): Needs {
  const configMaps = new Set<string>()
  const uses = new Map<string, SecretUse>()
  for (const { spec } of units) {
    for (const { configMapKeyRef: ref } of spec.environment ?? []) if (ref) configMaps.add(ref.name)
    for (const { name, secretKeyRef: ref } of spec.credentials ?? []) {
      const use = { secret: ref.name, key: ref.key, credential: name }
      uses.set(useId(use), use)
    }
  }
  const secrets = new Map<string, SecretUse[]>()
  for (const use of uses.values()) secrets.set(use.secret, [...(secrets.get(use.secret) ?? []), use])
  return { configMaps, secrets }
}

export function useId({ secret, key, credential }: SecretUse): string {
  return JSON.stringify([secret, key, credential])
}
