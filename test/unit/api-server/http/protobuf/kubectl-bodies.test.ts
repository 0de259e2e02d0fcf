import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeProtobuf, refuseProtobuf } from '../../../../../api-server/http/protobuf/index.ts'
import { StatusError } from '../../../../../api-server/registry/errors.ts'
import recorded from '../../../../fixtures/protobuf/kubectl-1.32.json' with { type: 'json' }

/** What kubectl 1.32 sent for each command, byte for byte. */
const bodyOf = (name: keyof typeof recorded) => Buffer.from(recorded[name].base64, 'base64')

const RBAC = 'rbac.authorization.k8s.io'
const USER = { kind: 'User', apiGroup: RBAC, name: 'ann' }
const REVIEW = { apiVersion: 'authorization.k8s.io/v1' }

const web = (name: string) => ({ metadata: { name, labels: { app: name } }, selector: { app: name } })
const service = (name: string, spec: object) => {
  const { metadata, selector } = web(name)
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ...spec } }
}

const MEANT: Partial<Record<keyof typeof recorded, object>> = {
  namespace: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } },
  configmap: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings' },
    data: { color: 'blue', empty: '' },
  },
  'secret-generic': {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login' },
    data: { user: 'YWRtaW4=', password: 'czNjcmV0' },
  },
  serviceaccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
  'service-clusterip': service('web', {
    type: 'ClusterIP',
    ports: [{ name: '80-8080', protocol: 'TCP', port: 80, targetPort: 8080 }],
  }),
  'service-clusterip-headless': service('quiet', { type: 'ClusterIP', clusterIP: 'None' }),
  'service-nodeport': service('outside', {
    type: 'NodePort',
    ports: [{ name: '80-http', protocol: 'TCP', port: 80, targetPort: 'http', nodePort: 30080 }],
  }),
  'service-loadbalancer': service('balanced', {
    type: 'LoadBalancer',
    ports: [{ name: '443-8443', protocol: 'TCP', port: 443, targetPort: 8443 }],
  }),
  'service-externalname': service('elsewhere', { type: 'ExternalName', externalName: 'example.com' }),
  role: {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: { name: 'reader' },
    rules: [
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'], resourceNames: ['web'] },
      { verbs: ['get', 'list'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['web'] },
    ],
  },
  clusterrole: {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'watcher' },
    rules: [{ verbs: ['get', 'watch'], apiGroups: [''], resources: ['nodes'] }],
  },
  'clusterrole-paths': {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'prober' },
    rules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
  },
  'clusterrole-aggregated': {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'sum' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] },
  },
  rolebinding: {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'readers' },
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'reader' },
    subjects: [
      USER,
      { kind: 'Group', apiGroup: RBAC, name: 'ops' },
      { kind: 'ServiceAccount', name: 'robot', namespace: 'default' },
    ],
  },
  clusterrolebinding: {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'watchers' },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'watcher' },
    subjects: [USER],
  },
  'pdb-min': {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'keep' },
    spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
  },
  'pdb-max': {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'lose' },
    spec: { maxUnavailable: '25%', selector: { matchLabels: { app: 'web' } } },
  },
  'can-i': {
    ...REVIEW,
    kind: 'SelfSubjectAccessReview',
    spec: {
      resourceAttributes: { namespace: 'team-a', verb: 'get', resource: 'pods', subresource: 'log', name: 'web' },
    },
  },
  'can-i-path': {
    ...REVIEW,
    kind: 'SelfSubjectAccessReview',
    spec: { nonResourceAttributes: { path: '/healthz', verb: 'get' } },
  },
  'can-i-list': { ...REVIEW, kind: 'SelfSubjectRulesReview', spec: { namespace: 'team-a' } },
  whoami: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
}

const bodies = suite('what kubectl 1.32 sends as protobuf')

for (const [name, meant] of Object.entries(MEANT))
  bodies(`${recorded[name as keyof typeof recorded].command} is read as it was meant`, () => {
    assert.equal(decodeProtobuf(bodyOf(name as keyof typeof recorded)), meant)
  })

const REFUSED: Partial<Record<keyof typeof recorded, string>> = {
  quota: 'ResourceQuota (v1)',
  deployment: 'Deployment (apps/v1)',
  job: 'Job (batch/v1)',
  cronjob: 'CronJob (batch/v1)',
  token: 'TokenRequest (authentication.k8s.io/v1)',
  ingress: 'Ingress (networking.k8s.io/v1)',
  priorityclass: 'PriorityClass (scheduling.k8s.io/v1)',
  autoscale: 'HorizontalPodAutoscaler (autoscaling/v1)',
}

for (const [name, kind] of Object.entries(REFUSED))
  bodies(`${recorded[name as keyof typeof recorded].command} is refused by the name of its kind`, () => {
    const body = bodyOf(name as keyof typeof recorded)
    const refusal = refuseProtobuf(body)
    assert.is(refusal.status.code, 415)
    assert.match(refusal.message, kind)
    assert.throws(
      () => decodeProtobuf(body),
      (error: unknown) => error instanceof StatusError && error.status.code === 415 && error.message.includes(kind),
    )
  })

bodies('every recorded command is one of the two', () => {
  assert.equal(Object.keys({ ...MEANT, ...REFUSED, 'secret-docker-registry': {} }).sort(), Object.keys(recorded).sort())
  assert.is(decodeProtobuf(bodyOf('secret-docker-registry')).type, 'kubernetes.io/dockerconfigjson')
})

bodies.run()
