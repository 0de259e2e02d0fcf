/**
 * Protobuf request bodies, which Go clients send for built-in kinds whatever we answer in: the envelope and the
 * messages of `kubectl create …` and `kubectl auth …`, as the JSON that they stand for.
 *
 *     "k8s\0" { 1: { 1: apiVersion, 2: kind }, 2: the object's own message, 3: encoding, 4: content type }
 */
import { StatusError } from '../../registry/errors.ts'
import { ConfigMap, Namespace, Secret, Service, ServiceAccount } from './core.ts'
import {
  Binding,
  ClusterRole,
  Eviction,
  PodDisruptionBudget,
  Role,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
} from './groups.ts'
import { decodeMessage, type Json, type Message, nested, text } from './message.ts'
import { DeleteOptions } from './meta.ts'
import { malformed, newBudget, readFields } from './wire.ts'

export const PROTOBUF = 'application/vnd.kubernetes.protobuf'

const MAGIC = Buffer.from('k8s\0')
const RBAC = 'rbac.authorization.k8s.io/v1'

const MESSAGES: ReadonlyMap<string, Message> = new Map([
  ['v1 Namespace', Namespace],
  ['v1 ConfigMap', ConfigMap],
  ['v1 Secret', Secret],
  ['v1 ServiceAccount', ServiceAccount],
  ['v1 Service', Service],
  ['v1 DeleteOptions', DeleteOptions],
  [`${RBAC} Role`, Role],
  [`${RBAC} ClusterRole`, ClusterRole],
  [`${RBAC} RoleBinding`, Binding],
  [`${RBAC} ClusterRoleBinding`, Binding],
  ['policy/v1 PodDisruptionBudget', PodDisruptionBudget],
  ['policy/v1 Eviction', Eviction],
  ['authorization.k8s.io/v1 SelfSubjectAccessReview', SelfSubjectAccessReview],
  ['authorization.k8s.io/v1 SelfSubjectRulesReview', SelfSubjectRulesReview],
  ['authentication.k8s.io/v1 SelfSubjectReview', SelfSubjectReview],
])

const WAY_ROUND = 'send JSON, for example with kubectl create … --dry-run=client -o yaml | kubectl apply -f -'

interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  readonly content: Uint8Array
}

/** The object in a body, apiVersion and kind included. Throws 400 for what is no such body, 415 naming what cannot be read. */
export function decodeProtobuf(body: Uint8Array): Json {
  const { apiVersion, kind, content } = openEnvelope(body)
  const message = MESSAGES.get(`${apiVersion} ${kind}`)
  if (message === undefined)
    throw refuse(`${nameOf({ apiVersion, kind })} cannot be read as protobuf here: ${WAY_ROUND}`)
  return { apiVersion, kind, ...decodeMessage(message, content, newBudget()) }
}

/** The refusal of a body for a path at which nothing is served: it names what was sent. */
export function refuseProtobuf(body: Uint8Array): StatusError {
  return refuse(`${nameOf(openEnvelope(body))} is not a kind that this server serves`)
}

function openEnvelope(body: Uint8Array): Envelope {
  if (!MAGIC.equals(body.subarray(0, MAGIC.length))) throw malformed('it does not begin with "k8s\\0"')
  const budget = newBudget()
  const envelope: Json = {}
  let content: Uint8Array = new Uint8Array()
  const type = nested('type', { 1: text('apiVersion'), 2: text('kind') })
  const encoding = text('encoding')
  readFields(body.subarray(MAGIC.length), budget, (field, raw) => {
    if (field === 1) type(envelope, raw, budget)
    else if (field === 2 && typeof raw !== 'bigint') content = raw
    else if (field === 3) encoding(envelope, raw, budget)
  })
  const { apiVersion = '', kind = '' } = (envelope.type ?? {}) as { apiVersion?: string; kind?: string }
  if (apiVersion === '' || kind === '') throw malformed('it does not say its apiVersion and kind')
  if (envelope.encoding !== undefined) throw malformed(`an object encoded as ${JSON.stringify(envelope.encoding)}`)
  return { apiVersion, kind, content }
}

/** Names come from the body, and a body may hold anything. */
const MAX_SHOWN_LENGTH = 100

function nameOf({ apiVersion, kind }: Pick<Envelope, 'apiVersion' | 'kind'>): string {
  return `${kind} (${apiVersion})`.slice(0, MAX_SHOWN_LENGTH)
}

function refuse(why: string): StatusError {
  return new StatusError(415, 'UnsupportedMediaType', why)
}
