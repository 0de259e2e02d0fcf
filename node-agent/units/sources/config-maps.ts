/** ConfigMaps that units name: followed at the server, and kept on disk as objects are, for a boot without one. */
import type { ConfigMap } from '../../../crds/core/index.ts'
import { ConfigMap as ConfigMapKind } from '../../../crds/core/index.ts'
import type { Copies } from '../copies.ts'
import type { Sources } from '../render/sources.ts'
import { type FollowingOptions, followObjects } from './following.ts'

export interface ConfigMapsOptions extends Omit<FollowingOptions<typeof ConfigMapKind>, 'kind' | 'takeIn'> {
  readonly copies: Copies<ConfigMap>
  readonly kept: ReadonlyMap<string, ConfigMap>
}

export interface ConfigMaps {
  /** Follows these and no others; copies of all others go. */
  keepTo(names: ReadonlySet<string>): void
  /** `online`: the server's word is waited for; else the copy has to do. */
  key(name: string, key: string, online: boolean): ReturnType<Sources['configMapKey']>
}

export function followConfigMaps({ copies, kept, ...options }: ConfigMapsOptions): ConfigMaps {
  const byName = new Map([...kept.values()].map((copy) => [copy.metadata.name, copy]))
  const forget = async (name: string, uid: string | undefined): Promise<void> => {
    const old = byName.get(name)
    if (old?.metadata.uid === undefined || old.metadata.uid === uid) return
    byName.delete(name)
    await copies.forget([old.metadata.uid])
  }
  const following = followObjects({
    ...options,
    kind: ConfigMapKind,
    takeIn: async (name, object) => {
      if (object !== undefined && object.metadata.resourceVersion !== byName.get(name)?.metadata.resourceVersion)
        await copies.keep([object])
      await forget(name, object?.metadata.uid)
      if (object !== undefined) byName.set(name, object)
    },
  })
  return {
    keepTo(names) {
      following.keepTo(names)
      for (const name of byName.keys())
        if (!names.has(name))
          forget(name, undefined).catch((error) => options.log.warn({ err: error }, 'old copy not removed'))
    },
    key(name, key, online) {
      const known = following.get(name)
      if (known.told) return keyOf(known.object, key)
      const copy = byName.get(name)
      if (copy !== undefined && (!online || known.why !== undefined)) return keyOf(copy, key)
      return { absent: 'unknown', ...(known.why === undefined ? {} : { why: known.why }) }
    },
  }
}

function keyOf(object: Readonly<ConfigMap> | undefined, key: string): ReturnType<Sources['configMapKey']> {
  if (object === undefined) return { absent: 'no-object' }
  const value = object.data?.[key]
  return value === undefined ? { absent: 'no-key' } : { value }
}
