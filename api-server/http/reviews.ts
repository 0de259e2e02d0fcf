/**
 * Questions about rights, asked by POST and answered at once: nothing of them is stored. They have no kind in crds/,
 * only a place in discovery.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as z from 'zod'
import type { Attributes, ResourceAttributes } from '../auth/authorize.ts'
import type { Identity } from '../auth/identity.ts'
import type { Authorizer } from '../auth/rbac/authorizer.ts'
import type { PolicyRule } from '../auth/rbac/policy.ts'
import { badRequest, invalidPart, methodNotAllowed } from '../registry/errors.ts'
import type { Access, Caller } from './access.ts'
import { decodeBody, mediaTypeOf } from './body.ts'
import { sendBytes } from './reply.ts'
import { REVIEW_KINDS, type ReviewKind } from './reviews-kinds.ts'

export type Review = (body: unknown, request: IncomingMessage, response: ServerResponse) => Promise<void>

const PATH = /^\/apis\/(authorization\.k8s\.io|authentication\.k8s\.io)\/v1(?:\/namespaces\/([^/]+))?\/([a-z]+)$/

/** What answers a request to `path`; undefined where it asks for no review. Throws 401, 403 or 405. */
export function planReview(access: Access, path: string, request: IncomingMessage): Review | undefined {
  const [, group, namespace, plural] = PATH.exec(path) ?? []
  const kind = REVIEW_KINDS.find((one) => one.group === group && one.plural === plural)
  if (kind === undefined || (namespace !== undefined) !== (kind.scope === 'Namespaced')) return undefined
  if (request.method !== 'POST') throw methodNotAllowed()
  const caller = access.authorizeVirtual(request, {
    verb: 'create',
    group: kind.group,
    resource: kind.plural,
    namespace,
  })
  return async (bytes, { headers }, response) => {
    const { value } = await decodeBody(bytes, mediaTypeOf(headers['content-type']), kind.kind)
    const body = parseBody(kind, value)
    const status = ANSWERS[kind.kind]({ authorizer: access.authorizer, caller, spec: body.spec ?? {}, namespace })
    const { metadata = {} } = body
    const { spec } = value as { spec?: Record<string, unknown> }
    const meta = { ...metadata, creationTimestamp: null, ...(namespace !== undefined && { namespace }) }
    const answer = { kind: kind.kind, apiVersion: `${kind.group}/v1`, metadata: meta, ...(spec && { spec }), status }
    sendBytes(response, 201, JSON.stringify(answer))
  }
}

interface Question {
  readonly authorizer: Authorizer
  readonly caller: Caller
  readonly spec: Spec
  readonly namespace: string | undefined
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined)
const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? [])

const ResourceQuestion = z.object({
  namespace: text,
  verb: text,
  group: text,
  version: text,
  resource: text,
  subresource: text,
  name: text,
})

const Spec = z.object({
  resourceAttributes: ResourceQuestion.nullish(),
  nonResourceAttributes: z.object({ path: text, verb: text }).nullish(),
  user: text,
  groups: texts,
  uid: text,
  extra: z.record(z.string(), z.array(z.string())).nullish(),
  namespace: text,
})
type Spec = Partial<z.output<typeof Spec>>

const Body = z.looseObject({
  apiVersion: text,
  kind: text,
  metadata: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? undefined),
  spec: Spec.nullish(),
})

function parseBody({ kind, group }: ReviewKind, value: unknown): z.output<typeof Body> {
  const { success, data, error } = Body.safeParse(value)
  if (!success) {
    const [issue] = error.issues
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): ${issue?.path.join('.')}: ${issue?.message}`,
    )
  }
  const { apiVersion = `${group}/v1`, kind: type = kind } = data
  if (type === kind && apiVersion === `${group}/v1`) return data
  throw badRequest(
    `the API version in the data (${apiVersion}, Kind=${type}) does not match the expected API version (${group}/v1, Kind=${kind})`,
  )
}

const ANSWERS: Readonly<Record<ReviewKind['kind'], (question: Question) => Record<string, unknown>>> = {
  SelfSubjectAccessReview: ({ authorizer, caller, spec }) =>
    decide(authorizer, caller.identity, attributesOf(spec, 'SelfSubjectAccessReview')),
  SubjectAccessReview: ({ authorizer, spec }) =>
    decide(authorizer, subjectOf(spec, 'SubjectAccessReview'), attributesOf(spec, 'SubjectAccessReview')),
  LocalSubjectAccessReview: ({ authorizer, spec, namespace }) => {
    const type = 'LocalSubjectAccessReview'
    if (spec.nonResourceAttributes)
      throw invalidSpec(type, 'nonResourceAttributes', 'Forbidden: disallowed on this kind of request')
    if (spec.resourceAttributes && spec.resourceAttributes.namespace !== namespace)
      throw invalidSpec(type, 'resourceAttributes.namespace', 'Invalid value: must match metadata.namespace')
    return decide(authorizer, subjectOf(spec, type), attributesOf(spec, type))
  },
  SelfSubjectRulesReview: ({ authorizer, caller, spec }) => {
    if (!spec.namespace) throw badRequest('no namespace on request')
    return rulesOf(authorizer, caller.identity, spec.namespace)
  },
  SelfSubjectReview: ({ caller: { identity } }) => ({ userInfo: userInfo(identity) }),
  TokenReview: () => ({
    authenticated: false,
    user: {},
    error: 'this server knows no bearer tokens, only client certificates',
  }),
}

function decide(authorizer: Authorizer, identity: Identity, attributes: Attributes): Record<string, unknown> {
  const decision = authorizer.decide(identity, attributes)
  // A denial's text is a 403's, and here nothing was forbidden to who asks; upstream gives no reason either.
  return decision.allowed ? { allowed: true, reason: decision.reason } : { allowed: false }
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: Spec, type: string): Attributes {
  if (resourceAttributes && nonResourceAttributes)
    throw invalidSpec(
      type,
      'nonResourceAttributes',
      'Invalid value: cannot be specified in combination with resourceAttributes',
    )
  if (nonResourceAttributes) return { verb: nonResourceAttributes.verb ?? '', path: nonResourceAttributes.path ?? '' }
  if (!resourceAttributes)
    throw invalidSpec(
      type,
      'resourceAttributes',
      'Invalid value: "null": exactly one of nonResourceAttributes or resourceAttributes must be specified',
    )
  const { verb = '', group = '', resource = '', subresource, namespace, name } = resourceAttributes
  return { verb, group, resource, subresource, namespace, name } satisfies ResourceAttributes
}

function subjectOf({ user = '', groups = [], uid, extra }: Spec, type: string): Identity {
  if (user === '' && groups.length === 0)
    throw invalidSpec(type, 'user', 'Invalid value: "": at least one of user or group must be specified')
  return { user, groups, ...(uid && { uid }), ...(extra && { extra }) }
}

function invalidSpec(type: string, field: string, message: string) {
  const path = `spec.${field}`
  const reason = message.startsWith('Forbidden') ? 'FieldValueForbidden' : 'FieldValueInvalid'
  return invalidPart('authorization.k8s.io', type, [{ reason, message, field: path }])
}

function rulesOf(authorizer: Authorizer, identity: Identity, namespace: string): Record<string, unknown> {
  const { rules, incomplete } = authorizer.rulesFor(identity, namespace)
  return {
    resourceRules: rules.filter(({ resources }) => (resources?.length ?? 0) > 0).map(resourceRule),
    nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs = [] }) =>
      nonResourceURLs.length > 0 ? [{ verbs, nonResourceURLs }] : [],
    ),
    incomplete: incomplete !== '',
    ...(incomplete !== '' && { evaluationError: incomplete }),
  }
}

function resourceRule({ verbs, apiGroups = [], resources = [], resourceNames = [] }: PolicyRule) {
  return { verbs, apiGroups, resources, ...(resourceNames.length > 0 && { resourceNames }) }
}

function userInfo({ user, groups, uid, extra }: Identity): Record<string, unknown> {
  return { username: user, ...(uid && { uid }), groups, ...(extra && { extra }) }
}
