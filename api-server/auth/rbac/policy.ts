/** What RBAC objects say, as far as deciding needs it. Lists left out are empty ones. */
import type { Metadata } from '../../../crds/kind.ts'

export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[] | undefined
  /** `pods`, `pods/log`, `*` (with every subresource), `*`+`/scale`. */
  readonly resources?: readonly string[] | undefined
  /** Only these objects; none given means all of them. */
  readonly resourceNames?: readonly string[] | undefined
  readonly nonResourceURLs?: readonly string[] | undefined
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined
  readonly matchExpressions?:
    | readonly {
        readonly key: string
        readonly operator: string
        readonly values?: readonly string[] | undefined
      }[]
    | undefined
}

/** A Role or a ClusterRole. */
export interface RoleObject {
  readonly metadata: Metadata
  readonly rules?: readonly PolicyRule[] | undefined
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] | undefined } | undefined
}

export interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace?: string | undefined
  readonly apiGroup?: string | undefined
}

export interface RoleRef {
  readonly kind: string
  readonly name: string
  readonly apiGroup?: string | undefined
}

/** A RoleBinding or a ClusterRoleBinding. */
export interface BindingObject {
  readonly metadata: Metadata
  readonly roleRef: RoleRef
  readonly subjects?: readonly Subject[] | undefined
}

export const RBAC_GROUP = 'rbac.authorization.k8s.io'

/** The user that a service account is, and the groups it is in by being one. */
export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`
}

/** Undefined for users who are no service account. */
export function serviceAccountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [system, type, namespace, name, ...rest] = user.split(':')
  if (system !== 'system' || type !== 'serviceaccount' || !namespace || !name || rest.length > 0) return undefined
  return { namespace, name }
}

export function serviceAccountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}
