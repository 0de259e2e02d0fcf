/** A users' own kind, as Kubernetes' documentation has it: two versions, columns, scale, status, rules. */
import type { Json } from './api-raw.ts'

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
