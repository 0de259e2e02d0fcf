/** The reviews as discovery tells of them. */
const AUTHORIZATION = 'authorization.k8s.io'
const AUTHENTICATION = 'authentication.k8s.io'

const REVIEWS = [
  { group: AUTHENTICATION, kind: 'SelfSubjectReview', plural: 'selfsubjectreviews', scope: 'Cluster' },
  { group: AUTHENTICATION, kind: 'TokenReview', plural: 'tokenreviews', scope: 'Cluster' },
  { group: AUTHORIZATION, kind: 'LocalSubjectAccessReview', plural: 'localsubjectaccessreviews', scope: 'Namespaced' },
  { group: AUTHORIZATION, kind: 'SelfSubjectAccessReview', plural: 'selfsubjectaccessreviews', scope: 'Cluster' },
  { group: AUTHORIZATION, kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews', scope: 'Cluster' },
  { group: AUTHORIZATION, kind: 'SubjectAccessReview', plural: 'subjectaccessreviews', scope: 'Cluster' },
] as const

const VERBS = ['create'] as const

export const REVIEW_KINDS = REVIEWS.map((review) => ({
  ...review,
  version: 'v1',
  singular: review.kind.toLowerCase(),
  shortNames: [],
  categories: [],
  verbs: VERBS,
  subresources: [],
}))

export type ReviewKind = (typeof REVIEW_KINDS)[number]
