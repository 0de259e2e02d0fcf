/** What the bad requests are about: paths, and the objects that are there before the first of them. */

import * as assert from 'uvu/assert'
import { until } from '../../support/until.ts'
import {
  type Api,
  type Ask,
  bindRole,
  type Caller,
  LEASES,
  MACHINES,
  MERGE,
  NAMESPACES,
  RBAC,
  UNITS,
  unitBody,
} from '../api-raw.ts'
import { cronTabs, DEFINITIONS } from '../custom-kinds.ts'
import { THERE_GROUP } from './definitions.ts'
import type { Who } from './row.ts'

export const CORE = '/api/v1/namespaces/default'
export const CONFIG_MAPS = `${CORE}/configmaps`
export const SECRETS = `${CORE}/secrets`
export const SERVICES = `${CORE}/services`
export const PODS = `${CORE}/pods`
export const THERE = `${UNITS}/there.service`
export const GOING = `${UNITS}/going.service`
export const WEB = `${UNITS}/web@.service`
export const LEASE = `${LEASES}/lease`
export const POD = `${PODS}/pod`
export const APPLY = 'application/apply-patch+yaml'
export const PROTOBUF = 'application/vnd.kubernetes.protobuf'

export const container = (name: string, rest: object = {}) => ({ name, image: 'busybox', ...rest })
export const podBody = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { containers: [container('c')], ...spec },
})

const budget = {
  metadata: { name: 'all' },
  spec: { minAvailable: 1, selector: { matchLabels: { guarded: 'yes' } } },
}
const reader = {
  metadata: { name: 'reader' },
  rules: [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }],
}
const editor = {
  metadata: { name: 'rbac-editor' },
  rules: [{ verbs: ['create', 'update', 'patch'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'] }],
}

const MADE: readonly (readonly [path: string, body: object])[] = [
  [UNITS, unitBody('there.service')],
  [UNITS, unitBody('web@.service', { replicas: 2 })],
  [UNITS, unitBody('going.service', {}, { finalizers: ['x/y'] })],
  [UNITS, unitBody('placed.service', { machineName: 'quiet' })],
  [MACHINES, { metadata: { name: 'quiet' } }],
  [LEASES, { metadata: { name: 'lease' } }],
  [CONFIG_MAPS, { metadata: { name: 'frozen' }, data: { a: '1' }, immutable: true }],
  [CONFIG_MAPS, { metadata: { name: 'map' }, data: { a: '1' } }],
  [SECRETS, { metadata: { name: 'frozen' }, data: { a: 'MQ==' }, immutable: true }],
  [SECRETS, { metadata: { name: 'opaque' } }],
  [SERVICES, { metadata: { name: 'svc' }, spec: { clusterIP: '10.0.0.9', ports: [{ port: 80 }] } }],
  [PODS, podBody('pod', { tolerations: [{ key: 'a', operator: 'Exists' }] })],
  [PODS, podBody('guarded', {}, { labels: { guarded: 'yes' } })],
  ['/apis/policy/v1/namespaces/default/poddisruptionbudgets', budget],
  [NAMESPACES, { metadata: { name: 'ending' } }],
  [DEFINITIONS, cronTabs(THERE_GROUP)],
  ['/api/v1/namespaces/ending/configmaps', { metadata: { name: 'held', finalizers: ['x/y'] } }],
  [`${RBAC}/clusterroles`, reader],
  [`${RBAC}/clusterroles`, editor],
]

const APPLIED = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned' }, data: { a: '1', b: '1' } }

/** Makes what the rows speak of; the callers besides the administrator. */
export async function prepare(api: Api): Promise<Readonly<Record<Who, Caller>>> {
  const must = async (method: string, path: string, ask: Ask, code: number) => {
    const answer = await api.ask(method, path, ask)
    assert.is(answer.code, code, `${method} ${path}: ${answer.text}`)
  }
  for (const [path, body] of MADE) await must('POST', path, { body }, 201)
  const running = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }
  await must('PATCH', `${PODS}/guarded/status`, { type: MERGE, body: running }, 200)
  const apply = { type: APPLY, body: APPLIED }
  await must('PATCH', `${CONFIG_MAPS}/owned?fieldManager=first`, apply, 201)
  await must('DELETE', GOING, {}, 200)
  await must('DELETE', `${NAMESPACES}/ending`, {}, 200)
  const held = () => api.ask('GET', '/api/v1/namespaces/ending/configmaps/held')
  const isTold = async () => (await held()).body.metadata.deletionTimestamp !== undefined
  await until(isTold, { what: 'the last write that the server does by itself' })
  for (const [name, role] of [
    ['editor', 'rbac-editor'],
    ['viewer', 'view'],
  ] as const)
    assert.is((await bindRole(api, name, role, name)).code, 201)
  const user = async (commonName: string) => api.caller(await api.server.pki.issueClient({ commonName }))
  const { admin, anonymous } = api
  return { admin, anonymous, alice: await user('alice'), editor: await user('editor'), viewer: await user('viewer') }
}
