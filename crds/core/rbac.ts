/** RBAC's four kinds: what they look like. What they allow is decided in api-server/auth. */
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import type { ApiObject, Column, ObjectOf, Violation } from '../kind.ts'
import { LabelSelector } from '../metadata.ts'
import { defineBuiltIn, fill, recordAt, recordsAt } from './built-in.ts'
import { AGE, CREATED_AT } from './columns.ts'
import { atomic, atomicList } from './lists.ts'
import { pathSegment } from './names.ts'
import { required, unsupported } from './violations.ts'

const GROUP = 'rbac.authorization.k8s.io'
const shared = { group: GROUP, version: 'v1', checkName: pathSegment } as const
const Texts = atomicList(z.string())

const PolicyRule = z.strictObject({
  verbs: Texts.describe('get, list, watch, create, update, patch, delete, deletecollection, or *.'),
  apiGroups: Texts.optional().describe('API groups; "" is the core group, * is all.'),
  resources: Texts.optional().describe('Plurals, as in pods, pods/log, or *.'),
  resourceNames: Texts.optional().describe('Only objects of these names; all where it is left out.'),
  nonResourceURLs: Texts.optional().describe('Paths that are no resource, as in /healthz or /metrics/*.'),
})
export type PolicyRule = z.output<typeof PolicyRule>

const Subject = atomic(
  z.strictObject({
    kind: z.string().describe('User, Group or ServiceAccount.'),
    apiGroup: z.string().optional(),
    name: z.string(),
    namespace: z.string().optional().describe('Of a ServiceAccount.'),
  }),
)
export type Subject = z.output<typeof Subject>

const RoleRef = atomic(z.strictObject({ apiGroup: z.string().default(GROUP), kind: z.string(), name: z.string() }))

export const Role = defineBuiltIn({
  ...shared,
  kind: 'Role',
  plural: 'roles',
  scope: 'Namespaced',
  description: 'What may be done in one namespace.',
  fields: { rules: atomicList(PolicyRule).default([]) },
  columns: [CREATED_AT],
  check: (object) => checkRules(object, true),
})
export type Role = ObjectOf<typeof Role>

export const ClusterRole = defineBuiltIn({
  ...shared,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  scope: 'Cluster',
  description: 'What may be done everywhere, or in the namespace of the binding that names it.',
  fields: {
    rules: atomicList(PolicyRule).default([]),
    aggregationRule: z
      .strictObject({ clusterRoleSelectors: atomicList(LabelSelector).optional() })
      .optional()
      .describe('The rules are those of all cluster roles that a selector finds.'),
  },
  columns: [CREATED_AT],
  check: (object) => checkRules(object, false),
})
export type ClusterRole = ObjectOf<typeof ClusterRole>

const bindingFields = { subjects: atomicList(Subject).optional(), roleRef: RoleRef }

export const RoleBinding = defineBuiltIn({
  ...shared,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  scope: 'Namespaced',
  description: 'Gives a role to users, groups and service accounts, in one namespace.',
  fields: bindingFields,
  columns: bindingColumns(),
  complete: completeBinding,
  check: (object, previous) => checkBinding(object, previous, ['ClusterRole', 'Role']),
})
export type RoleBinding = ObjectOf<typeof RoleBinding>

export const ClusterRoleBinding = defineBuiltIn({
  ...shared,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  scope: 'Cluster',
  description: 'Gives a cluster role to users, groups and service accounts, everywhere.',
  fields: bindingFields,
  columns: bindingColumns(),
  complete: completeBinding,
  check: (object, previous) => checkBinding(object, previous, ['ClusterRole']),
})
export type ClusterRoleBinding = ObjectOf<typeof ClusterRoleBinding>

function bindingColumns(): Column[] {
  return [
    {
      name: 'Role',
      type: 'string',
      jsonPath: '.roleRef.name',
      description: 'What it gives.',
      cell: (object) => `${recordAt(object, 'roleRef')?.kind}/${recordAt(object, 'roleRef')?.name}`,
    },
    AGE,
    subjectsColumn('Users', 'User'),
    subjectsColumn('Groups', 'Group'),
    subjectsColumn('ServiceAccounts', 'ServiceAccount'),
  ]
}

function subjectsColumn(name: string, kind: string): Column {
  const cell = (object: ApiObject) => {
    const names = recordsAt(object, 'subjects')
      .filter((subject) => subject.kind === kind)
      .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace}/${subject.name}` : subject.name))
    return names.length === 0 ? '' : names.join(', ')
  }
  return { name, type: 'string', jsonPath: '.subjects', description: 'Who gets it.', priority: 1, cell }
}

function completeBinding(object: ApiObject): void {
  for (const subject of recordsAt(object, 'subjects'))
    if (subject.kind !== 'ServiceAccount') fill(subject, { apiGroup: GROUP })
}

/** A rule is about resources or about paths, never both; paths have no namespace. */
function checkRules(object: ApiObject, namespaced: boolean): Violation[] {
  return ((object.rules ?? []) as PolicyRule[]).flatMap((rule, at) => {
    const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
    const path = (field: string) => ['rules', at, field]
    const violations = verbs.length === 0 ? [required('rules', at, 'verbs')] : []
    const aboutPaths = nonResourceURLs.length > 0
    if (aboutPaths && namespaced)
      violations.push({ path: path('nonResourceURLs'), message: 'namespaced rules cannot apply to non-resource URLs' })
    if (aboutPaths && [...apiGroups, ...resources, ...resourceNames].length > 0)
      violations.push({
        path: path('nonResourceURLs'),
        message: 'rules cannot apply to both regular resources and non-resource URLs',
      })
    if (aboutPaths) return violations
    if (apiGroups.length === 0) violations.push(required('rules', at, 'apiGroups'))
    if (resources.length === 0) violations.push(required('rules', at, 'resources'))
    return violations
  })
}

const SUBJECT_KINDS = ['ServiceAccount', 'User', 'Group']

function checkBinding(object: ApiObject, previous: ApiObject | undefined, roleKinds: readonly string[]): Violation[] {
  const roleRef = recordAt(object, 'roleRef') ?? {}
  const violations: Violation[] = []
  if (roleRef.apiGroup !== GROUP) violations.push(unsupported(['roleRef', 'apiGroup'], [GROUP]))
  if (!roleKinds.includes(String(roleRef.kind))) violations.push(unsupported(['roleRef', 'kind'], roleKinds))
  if (!roleRef.name) violations.push(required('roleRef', 'name'))
  if (previous !== undefined && !isDeepStrictEqual(previous.roleRef, object.roleRef))
    violations.push({ path: ['roleRef'], message: 'cannot change roleRef' })
  return [...violations, ...recordsAt(object, 'subjects').flatMap(checkSubject)]
}

function checkSubject({ kind, name, namespace, apiGroup }: Record<string, unknown>, at: number): Violation[] {
  const violations: Violation[] = []
  if (!name) violations.push(required('subjects', at, 'name'))
  if (!SUBJECT_KINDS.includes(String(kind)))
    return [...violations, unsupported(['subjects', at, 'kind'], SUBJECT_KINDS)]
  const group = kind === 'ServiceAccount' ? '' : GROUP
  if ((apiGroup ?? '') !== group) violations.push(unsupported(['subjects', at, 'apiGroup'], [group]))
  if (kind === 'ServiceAccount' && !namespace) violations.push(required('subjects', at, 'namespace'))
  return violations
}
