/** The objects of an informer by key, and who wants to hear that one changed. */
import type { Logger } from 'pino'
import type { ApiObject } from '../../crds/kind.ts'

export interface ObjectCache {
  get(key: string): ApiObject | undefined
  list(): ApiObject[]
  put(object: ApiObject): void
  remove(object: ApiObject): void
  /** What a complete list says: tells of what is new, changed and gone. */
  replace(objects: readonly ApiObject[]): void
  subscribe(onChange: (key: string) => void): () => void
}

export function keyOf({ metadata }: Pick<ApiObject, 'metadata'>): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
}

export function createObjectCache(log: Logger): ObjectCache {
  let objects = new Map<string, ApiObject>()
  const handlers = new Set<(key: string) => void>()

  const tell = (key: string): void => {
    for (const handler of handlers) {
      try {
        handler(key)
      } catch (error) {
        log.error({ key, err: error }, 'change handler failed')
      }
    }
  }
  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    put: (object) => {
      const key = keyOf(object)
      if (isSame(objects.get(key), object)) return
      objects.set(key, lean(object))
      tell(key)
    },
    remove: (object) => {
      const key = keyOf(object)
      if (objects.delete(key)) tell(key)
    },
    replace: (list) => {
      const before = objects
      objects = new Map(list.map((object) => [keyOf(object), lean(object)]))
      for (const key of before.keys()) if (!objects.has(key)) tell(key)
      for (const [key, object] of objects) if (!isSame(before.get(key), object)) tell(key)
    },
    subscribe: (onChange) => {
      handlers.add(onChange)
      return () => handlers.delete(onChange)
    },
  }
}

/** Nobody here asks who manages which field; kept, it would be the larger half of many objects. */
function lean(object: ApiObject): ApiObject {
  delete object.metadata.managedFields
  return object
}

function isSame(a: ApiObject | undefined, b: ApiObject): boolean {
  return a?.metadata.resourceVersion !== undefined && a.metadata.resourceVersion === b.metadata.resourceVersion
}
