/** A users' own kind for tests, as Kubernetes' documentation has it: two versions, columns, scale, status, rules. */
import * as assert from 'uvu/assert'
import { until } from '../support/until.ts'
import type { Api, Json } from './api-raw.ts'

export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const COLUMNS = [
  { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec', description: 'When it runs.' },
  { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
  { name: 'Image', type: 'string', jsonPath: '.spec.image', priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
]

const SPEC = {
  type: 'object',
  required: ['cronSpec'],
  properties: {
    cronSpec: { type: 'string', pattern: '^(\\S+\\s){4}\\S+$', description: 'When it runs.' },
    image: { type: 'string', default: 'busybox' },
    color: { type: 'string', enum: ['red', 'blue'] },
    replicas: { type: 'integer', minimum: 0, default: 1 },
    maxReplicas: { type: 'integer', default: 10 },
  },
  'x-kubernetes-validations': [
    { rule: 'self.replicas <= self.maxReplicas', message: 'replicas must not exceed maxReplicas' },
  ],
}

const STATUS = { type: 'object', properties: { replicas: { type: 'integer' }, labelSelector: { type: 'string' } } }

function schemaOf(spec: object): object {
  return {
    openAPIV3Schema: { type: 'object', description: 'A job by the clock.', properties: { spec, status: STATUS } },
  }
}

function version(name: string, storage: boolean): Json {
  return structuredClone({
    name,
    served: true,
    storage,
    schema: schemaOf(SPEC),
    additionalPrinterColumns: COLUMNS,
    subresources: {
      status: {},
      scale: {
        specReplicasPath: '.spec.replicas',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.labelSelector',
      },
    },
    selectableFields: [{ jsonPath: '.spec.color' }],
  })
}

/** The definition of `crontabs` in a group of the test's own. */
export function cronTabs(group: string, names: object = {}, scope = 'Namespaced'): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `crontabs.${group}` },
    spec: {
      group,
      scope,
      names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], ...names },
      versions: [version('v1', true), version('v1beta1', false)],
    },
  }
}

export function cronTab(group: string, name: string, spec: object = {}, metadata: object = {}): Json {
  return {
    apiVersion: `${group}/v1`,
    kind: 'CronTab',
    metadata: { name, namespace: 'default', ...metadata },
    spec: { cronSpec: '* * * * */5', ...spec },
  }
}

export function collection(group: string, version = 'v1', namespace = 'default'): string {
  return `/apis/${group}/${version}/namespaces/${namespace}/crontabs`
}

export const definitionAt = (group: string) => `${DEFINITIONS}/crontabs.${group}`

/** How long tests wait for what takes some milliseconds; what is promised is a second, and measured where it matters. */
export const SOON_MS = 5_000

export interface CustomKinds {
  /** The object that was made. */
  made(path: string, body: Json): Promise<Json>
  /** Resolves when `condition` holds; rejects after `SOON_MS`. */
  served(what: string, condition: () => Promise<boolean>): Promise<unknown>
  answers(path: string, code: number): () => Promise<boolean>
  /** Makes the definition of `crontabs` in a group, and waits until they are served. */
  define(group: string): Promise<void>
  conditions(path: string): Promise<Record<string, Json>>
}

/** `api` is asked for with each call: a test may restart its server. */
export function customKinds(api: () => Api): CustomKinds {
  const made = async (path: string, body: Json) => {
    const answer = await api().ask('POST', path, { body })
    assert.is(answer.code, 201, answer.text)
    return answer.body
  }
  const answers = (path: string, code: number) => async () => (await api().ask('GET', path)).code === code
  const served: CustomKinds['served'] = (what, condition) => until(condition, { timeoutMs: SOON_MS, what })
  return {
    made,
    answers,
    served,
    define: async (group) => {
      await made(DEFINITIONS, cronTabs(group))
      await served(`crontabs.${group} served`, answers(collection(group), 200))
    },
    conditions: async (path) => {
      const { body } = await api().ask('GET', path)
      return Object.fromEntries((body.status?.conditions ?? []).map((one: Json) => [one.type, one]))
    },
  }
}
