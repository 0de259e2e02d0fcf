/** Writes on a kind that is a view: they become writes of the kind it shows, under that kind's own rules and version. */
import type { ApiObject, Kind, View } from '../../crds/kind.ts'
import { conflict, methodNotAllowed, StatusError } from './errors.ts'
import { seenThrough } from './kind-cache.ts'
import { takeManagedFields } from './managed-fields/track.ts'
import { prepareUpdate } from './prepare.ts'
import type { DeleteOptions, Place, Registry, WriteOptions, Written } from './registry.ts'
import { admit } from './validate.ts'

export function refuseCreate({ kind }: Kind): never {
  throw methodNotAllowed(`no ${kind} can be created here`)
}

/** As `Registry.update`: `change` gets the object as the view shows it. */
export async function updateThroughView(
  registry: Registry,
  { kind, ...place }: Place & { readonly kind: Kind & { readonly view: View } },
  change: (current: ApiObject) => ApiObject,
  options: WriteOptions,
): Promise<Written> {
  registry.get({ kind, ...place })
  let warnings: readonly string[] = []
  const changeSource = (source: ApiObject): ApiObject => {
    const current = kind.view.project(source)
    const changed = change(kind.view.project(source))
    takeManagedFields(changed.metadata)
    const admitted = admit(kind, prepareUpdate(kind, current, changed, undefined), current, options)
    warnings = admitted.warnings
    return kind.view.absorb(source, admitted.object)
  }
  const written = await registry
    .update({ kind: kind.view.of, ...place }, changeSource, undefined, options)
    .catch((error: unknown) => rename(kind, place.name, error))
  return { ...written, bytes: seenThrough(kind.view, written.bytes), warnings }
}

/** As `Registry.delete`: what is deleted is the object behind. */
export async function deleteThroughView(
  registry: Registry,
  { kind, ...place }: Place & { readonly kind: Kind & { readonly view: View } },
  options: DeleteOptions,
): Promise<Written> {
  registry.get({ kind, ...place })
  const written = await registry
    .delete({ kind: kind.view.of, ...place }, options)
    .catch((error: unknown) => rename(kind, place.name, error))
  return { ...written, bytes: seenThrough(kind.view, written.bytes) }
}

/** Whoever wrote a node is told of a node. */
function rename(kind: Kind, name: string, error: unknown): never {
  throw error instanceof StatusError && error.status.reason === 'Conflict' ? conflict(kind, name) : error
}

export function isView(place: Place): place is Place & { readonly kind: Kind & { readonly view: View } } {
  return place.kind.view !== undefined
}
