/** Messages of the named groups: RBAC, reviews of one's own rights, disruption budgets. */
import {
  bool,
  integer,
  list,
  type Message,
  nested,
  optionalIntOrString,
  optionalNested,
  optionalText,
  text,
  texts,
} from './message.ts'
import { Condition, DeleteOptions, LabelSelector, object } from './meta.ts'

const PolicyRule: Message = {
  1: texts('verbs'),
  2: texts('apiGroups'),
  3: texts('resources'),
  4: texts('resourceNames'),
  5: texts('nonResourceURLs'),
}
const Subject: Message = { 1: text('kind'), 2: text('apiGroup'), 3: text('name'), 4: text('namespace') }
const RoleRef: Message = { 1: text('apiGroup'), 2: text('kind'), 3: text('name') }

export const Role = object({ 2: list('rules', PolicyRule) })
export const ClusterRole = object({
  2: list('rules', PolicyRule),
  3: optionalNested('aggregationRule', { 1: list('clusterRoleSelectors', LabelSelector) }),
})
/** RoleBinding and ClusterRoleBinding alike. */
export const Binding = object({ 2: list('subjects', Subject), 3: nested('roleRef', RoleRef) })

const ResourceAttributes: Message = {
  1: text('namespace'),
  2: text('verb'),
  3: text('group'),
  4: text('version'),
  5: text('resource'),
  6: text('subresource'),
  7: text('name'),
}
const NonResourceAttributes: Message = { 1: text('path'), 2: text('verb') }

export const SelfSubjectAccessReview = object({
  2: nested('spec', {
    1: optionalNested('resourceAttributes', ResourceAttributes),
    2: optionalNested('nonResourceAttributes', NonResourceAttributes),
  }),
  3: nested('status', { 1: bool('allowed'), 2: text('reason'), 3: text('evaluationError'), 4: bool('denied') }),
})
export const SelfSubjectRulesReview = object({ 2: nested('spec', { 1: text('namespace') }) })
export const SelfSubjectReview = object({})

export const PodDisruptionBudget = object({
  2: nested('spec', {
    1: optionalIntOrString('minAvailable'),
    2: optionalNested('selector', LabelSelector),
    3: optionalIntOrString('maxUnavailable'),
    4: optionalText('unhealthyPodEvictionPolicy'),
  }),
  3: nested('status', {
    1: integer('observedGeneration'),
    3: integer('disruptionsAllowed'),
    4: integer('currentHealthy'),
    5: integer('desiredHealthy'),
    6: integer('expectedPods'),
    7: list('conditions', Condition),
  }),
})

export const Eviction = object({ 2: optionalNested('deleteOptions', DeleteOptions) })
