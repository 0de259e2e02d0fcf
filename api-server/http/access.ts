/** Who is calling, on whose behalf, and may they: the one place where http asks auth. */
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { Machine, Unit } from '../../crds/index.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { identify } from '../auth/authenticate.ts'
import { type Attributes, forbiddenMessage, meetsCondition, type ResourceAttributes } from '../auth/authorize.ts'
import { ANONYMOUS, type Identity } from '../auth/identity.ts'
import type { Authorizer } from '../auth/rbac/authorizer.ts'
import { secretRefusal } from '../auth/unit-secrets.ts'
import { type Entry, objectOf } from '../registry/entry.ts'
import { forbidden, unauthorized } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { escalationGuard } from './escalation.ts'
import { impersonationOf } from './impersonation.ts'
import type { ResourceRequest, Verb } from './request-info.ts'

export interface Caller {
  readonly identity: Identity
  /** Who really asks, where `identity` is somebody else. */
  readonly impersonatedBy?: Identity
}

/**
 * May refuse by throwing: asked about the object that is to be changed, and again with what it would become (`next`).
 * For a create both are the object as sent.
 */
export type Guard = (object: ApiObject, next?: ApiObject) => void

export interface Access {
  readonly authorizer: Authorizer
  /** Throws 401, and 403 where the request would be somebody else and may not. */
  caller(request: IncomingMessage): Caller
  /** Throws 401 or 403; the result, if any, must be asked before anything is written. */
  authorize(request: IncomingMessage, verb: Verb, target: ResourceRequest, query?: URLSearchParams): Guard | undefined
  /** The same for paths that are no resource, and for resources that have no kind. Throws 401 or 403. */
  authorizePath(request: IncomingMessage, method: string, path: string): Identity
  /** For resources that no kind stands behind. Throws 401 or 403. */
  authorizeVirtual(request: IncomingMessage, attributes: ResourceAttributes): Caller
}

export function createAccess(registry: Registry, authorizer: Authorizer): Access {
  const keyHashes = machineKeyHashes(registry)
  const caller = (request: IncomingMessage): Caller => {
    const { socket } = request
    const identity = socket instanceof TLSSocket ? identify(socket, { machineKeyHashes: keyHashes }) : ANONYMOUS
    if (identity === undefined) throw unauthorized()
    return actingAs(authorizer, identity, request)
  }
  return {
    authorizer,
    caller,
    authorize: (request, verb, target, query) => {
      const { identity } = caller(request)
      const attributes = attributesOf(verb, target, query)
      const decision = authorizer.decide(identity, attributes)
      const refuse = (message: string) => refusal(identity, message, target.kind, attributes.name)
      if (!decision.allowed) throw refuse(decision.reason)
      const { condition } = decision
      const escalates = escalationGuard(authorizer, identity, target)
      const namesSecrets = target.kind === Unit && target.subresource === undefined
      if (condition === undefined && escalates === undefined && !namesSecrets) return undefined
      return (object, next) => {
        if (condition !== undefined && !meetsCondition(identity, condition, object))
          throw refuse(forbiddenMessage(identity, attributes))
        if (next === undefined) return
        const previous = next === object ? undefined : object
        escalates?.(next, previous)
        const secret = namesSecrets ? secretRefusal(authorizer, identity, next, previous) : undefined
        if (secret !== undefined)
          throw refuse(`units.flotilla.dev ${JSON.stringify(next.metadata.name)} is forbidden: ${secret}`)
      }
    },
    authorizePath: (request, method, path) => {
      const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
      return requireAllowed(authorizer, caller(request), { verb, path }).identity
    },
    authorizeVirtual: (request, attributes) => requireAllowed(authorizer, caller(request), attributes),
  }
}

/** Who the request would be, if it may; itself where it does not say. */
function actingAs(authorizer: Authorizer, identity: Identity, request: IncomingMessage): Caller {
  const impersonation = impersonationOf(request)
  if (impersonation === undefined) return { identity }
  for (const need of impersonation.needs) requireAllowed(authorizer, { identity }, need)
  return { identity: impersonation.identity, impersonatedBy: identity }
}

function requireAllowed(authorizer: Authorizer, caller: Caller, attributes: Attributes): Caller {
  const { identity } = caller
  const decision = authorizer.decide(identity, attributes)
  if (decision.allowed) return caller
  const kind = attributes.path === undefined ? { group: attributes.group, plural: attributes.resource } : undefined
  throw refusal(identity, decision.reason, kind, attributes.path === undefined ? attributes.name : undefined)
}

/** Who did not say who they are is asked to (401), not told that they may not (403). */
function refusal(
  identity: Identity,
  message: string,
  kind: Pick<Kind, 'group' | 'plural'> | undefined,
  name: string | undefined,
): Error {
  return identity === ANONYMOUS ? unauthorized() : forbidden(message, kind, name)
}

function attributesOf(
  verb: Verb,
  { kind, namespace, name, subresource }: ResourceRequest,
  query: URLSearchParams | undefined,
): ResourceAttributes {
  const selected = name ?? (query && selectedName(query))
  // A namespace lies in itself, as in Kubernetes: who was given it in a RoleBinding there may get it.
  const within = kind.group === '' && kind.plural === 'namespaces' ? name : namespace
  return { verb, group: kind.group, resource: kind.plural, subresource, namespace: within, name: selected }
}

/** A collection narrowed to one name is asked about as that object, so that a rule with names allows watching it. */
function selectedName(query: URLSearchParams): string | undefined {
  const selector = query.size === 0 ? null : query.get('fieldSelector')
  return selector ? /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(selector)?.[1] : undefined
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
