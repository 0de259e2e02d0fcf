/** The projections of the etcd v2 door, and all that it takes to have them. */
import type { Logger } from 'pino'
import type { Identity } from '../../../auth/identity.ts'
import type { Authorizer } from '../../../auth/rbac/authorizer.ts'
import type { Registry } from '../../../registry/registry.ts'
import type { Failure } from '../failure.ts'
import type { Replica } from '../replica.ts'
import { isBelow } from '../tree.ts'
import type { Writer } from '../writer.ts'
import { type ObjectVerb, refusalOf } from './access.ts'
import { createComplain } from './complaints.ts'
import { FLANNEL } from './flannel.ts'
import { type Following, followObjects } from './follow.ts'
import { locate } from './location.ts'
import type { Projection } from './projection.ts'
import { Projector } from './projector.ts'
import { createShown } from './shown.ts'

const PROJECTIONS: readonly Projection[] = [FLANNEL]

/** The objects above the store, for a door that shows some of them. */
export interface ObjectsAbove {
  readonly registry: Registry
  readonly authorizer: Authorizer
}

export interface Reading {
  readonly key: string
  readonly recursive: boolean
  readonly wait: boolean
}

export interface Projecting {
  readonly projector: Projector
  /** Undefined: allowed. */
  mayRead(identity: Identity, reading: Reading): Failure | undefined
  /** Resolves when keys and objects agree, but for those that the store does not take now. */
  follow(writer: Writer): Promise<Following>
}

/** `replica` must be loaded. */
export function createProjecting({ registry, authorizer }: ObjectsAbove, replica: Replica, log: Logger): Projecting {
  const shown = createShown(registry, () => replica.tree, PROJECTIONS, createComplain(registry, log))
  const projector = new Projector({ registry, authorizer, replica, shown })
  return {
    projector,
    mayRead: (identity, { key, recursive, wait }) => {
      const ask = (verb: ObjectVerb, { kind }: Projection, name?: string) =>
        refusalOf(authorizer, identity, { verb, kind, name, object: shown.at(key)?.object })
      if (key !== '/' && !projector.concerns(key)) return undefined
      const location = locate(PROJECTIONS, key)
      if (location.is === 'object') return ask(wait ? 'watch' : 'get', location.projection, shown.at(key)?.entry.name)
      if (location.is !== 'above') return undefined
      const seen = location.projections.filter(
        ({ directories }) => directories.includes(key) || (recursive && isBelow(directories[0], key)),
      )
      return seen.map((projection) => ask(wait ? 'watch' : 'list', projection)).find((refused) => refused !== undefined)
    },
    follow: (writer) => followObjects(shown, replica, writer, log),
  }
}
