/** A registry over a memory store, as the server has it, without HTTP. */
import pino from 'pino'
import { Feed } from '../../../../api-server/registry/feed.ts'
import { ensureNamespaces } from '../../../../api-server/registry/namespaces.ts'
import { Registry } from '../../../../api-server/registry/registry.ts'
import { openMemoryStore } from '../../../../api-server/store/memory.ts'
import type { Store } from '../../../../api-server/store/store.ts'
import { KINDS, Unit } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'

export interface Running {
  readonly registry: Registry
  readonly store: Store
}

/** Runs `use` and takes everything down. */
export async function withRegistry<T>(use: (running: Running) => Promise<T>, store = openMemoryStore()): Promise<T> {
  const feed = new Feed(store, KINDS, pino({ level: 'silent' }))
  const registry = new Registry(store, feed)
  const stop = new AbortController()
  await feed.load()
  const following = feed.run(stop.signal)
  try {
    await ensureNamespaces(registry)
    return await use({ registry, store })
  } finally {
    stop.abort()
    await following
    await store[Symbol.asyncDispose]()
  }
}

export const UNIT: Kind = Unit as Kind

export const at = (name: string) => ({ kind: UNIT, namespace: undefined, name })

export function unitObject(name: string, metadata: Partial<ApiObject['metadata']> = {}, spec: object = {}): ApiObject {
  return {
    apiVersion: 'flotilla.dev/v1',
    kind: 'Unit',
    metadata: { name, ...metadata },
    spec: { content: '[Service]\nExecStart=/bin/true\n', ...spec },
  }
}

/** Creates a unit and returns its version. */
export async function createUnit(registry: Registry, name: string, metadata = {}, spec = {}): Promise<bigint> {
  await registry.create(UNIT, undefined, unitObject(name, metadata, spec))
  return registry.get(at(name)).version
}

export async function label(registry: Registry, name: string, labels: Record<string, string>): Promise<bigint> {
  const change = (unit: ApiObject) => ({ ...unit, metadata: { ...unit.metadata, labels } })
  await registry.update(at(name), change, undefined)
  return registry.get(at(name)).version
}
