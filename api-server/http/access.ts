/** Who is calling, and may they: the one place where http asks auth. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Machine } from '../../crds/index.ts'
import type { ApiObject } from '../../crds/kind.ts'
import { identify } from '../auth/authenticate.ts'
import { authorize, forbiddenMessage, meetsCondition, type ResourceAttributes } from '../auth/authorize.ts'
import { ANONYMOUS, type Identity } from '../auth/identity.ts'
import { type Entry, objectOf } from '../registry/entry.ts'
import { forbidden, unauthorized } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { ResourceRequest, Verb } from './request-info.ts'

export interface Access {
  /** Throws 401 or 403; the result, if any, must be asked about the object before it is changed. */
  authorize(socket: Socket, verb: Verb, target: ResourceRequest): ((object: ApiObject) => void) | undefined
  /** The same for paths that are no resource, and for resources that have no kind. Throws 401 or 403. */
  authorizePath(socket: Socket, method: string, path: string): Identity
}

export function createAccess(registry: Registry): Access {
  const keyHashes = machineKeyHashes(registry)
  const who = (socket: Socket): Identity => {
    const identity = socket instanceof TLSSocket ? identify(socket, { machineKeyHashes: keyHashes }) : ANONYMOUS
    if (identity === undefined) throw unauthorized()
    return identity
  }
  return {
    authorize: (socket, verb, target) => {
      const identity = who(socket)
      const attributes = attributesOf(verb, target)
      const decision = authorize(identity, attributes)
      if (!decision.allowed) throw refusal(identity, target, decision.reason)
      const { condition } = decision
      return (
        condition &&
        ((object) => {
          if (!meetsCondition(identity, condition, object))
            throw refusal(identity, target, forbiddenMessage(identity, attributes))
        })
      )
    },
    authorizePath: (socket, method, path) => {
      const identity = who(socket)
      const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
      const decision = authorize(identity, { verb, path })
      if (!decision.allowed) throw identity === ANONYMOUS ? unauthorized() : forbidden(decision.reason)
      return identity
    },
  }
}

/** Who did not say who they are is asked to (401), not told that they may not (403). */
function refusal(identity: Identity, { kind, name }: ResourceRequest, message: string): Error {
  return identity === ANONYMOUS ? unauthorized() : forbidden(message, kind, name)
}

function attributesOf(verb: Verb, { kind, namespace, name, subresource }: ResourceRequest): ResourceAttributes {
  return { verb, group: kind.group, resource: kind.plural, subresource, namespace, name }
}

/** Asked for every request of a machine, so the answer is remembered as long as the Machine's entry is the same. */
function machineKeyHashes(registry: Registry): (name: string) => readonly string[] | undefined {
  const remembered = new WeakMap<Entry, readonly string[]>()
  return (name) => {
    const entry = registry.find({ kind: Machine, namespace: undefined, name })
    if (entry === undefined) return undefined
    let hashes = remembered.get(entry)
    if (hashes === undefined) {
      hashes = (objectOf(entry).status as { keyHashes?: string[] } | undefined)?.keyHashes ?? []
      remembered.set(entry, hashes)
    }
    return hashes
  }
}
