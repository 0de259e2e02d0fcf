/** Definitions of users' own kinds that cannot be, and what of one cannot be changed. */
import { type Json, MERGE } from '../api-raw.ts'
import { cronTabs, DEFINITIONS, definitionAt } from '../custom-kinds.ts'
import { forbidden, invalid, type Row, required, row, unsupported, wrong } from './row.ts'

/** Of the definition that is there. */
export const THERE_GROUP = 'there.example.com'
const CRD = 'CustomResourceDefinition.apiextensions.k8s.io'
const GROUP = 'bad.example.com'
const NAME = `crontabs.${GROUP}`
const STORED = 'must have exactly one version marked as storage version'
const LABEL =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
const MISNAMED = wrong('metadata.name', NAME, 'must be spec.names.plural+"."+spec.group')

type Causes = Parameters<typeof invalid>[2][]

function define(title: string, change: (definition: Json) => void, ...causes: Causes): Row {
  const body = cronTabs(GROUP)
  change(body)
  return row(title, `POST ${DEFINITIONS}`, { body }, invalid(CRD, body.metadata.name, ...causes))
}

const X = 'spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[x]'
const field = (title: string, x: object, ...causes: Causes): Row =>
  define(
    title,
    ({ spec }) => {
      spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.x = x
    },
    ...causes,
  )

const change = (title: string, spec: object, ...causes: Causes): Row =>
  row(title, `PATCH ${definitionAt(THERE_GROUP)}`, { body: { spec }, type: MERGE }, invalid(CRD, THERE_NAME, ...causes))

const THERE_NAME = `crontabs.${THERE_GROUP}`
const MISNAMED_THERE = wrong('metadata.name', THERE_NAME, 'must be spec.names.plural+"."+spec.group')

export const DEFINITIONS_ROWS: readonly Row[] = [
  define(
    'another name than plural and group',
    ({ metadata }) => {
      metadata.name = `other.${GROUP}`
    },
    wrong('metadata.name', `other.${GROUP}`, 'must be spec.names.plural+"."+spec.group'),
  ),
  define(
    'an unknown scope',
    ({ spec }) => Object.assign(spec, { scope: 'Galaxy' }),
    unsupported('spec.scope', 'Galaxy', 'Cluster', 'Namespaced'),
  ),
  define(
    'no versions',
    ({ spec }) => Object.assign(spec, { versions: [] }),
    wrong('spec.versions', [], STORED),
    wrong('spec.versions', [], 'must have at least one served version'),
  ),
  define(
    'no stored version',
    ({ spec }) => Object.assign(spec.versions[0], { storage: false }),
    wrong('spec.versions', ['v1', 'v1beta1'], STORED),
  ),
  define(
    'two stored versions',
    ({ spec }) => Object.assign(spec.versions[1], { storage: true }),
    wrong('spec.versions', ['v1', 'v1beta1'], STORED),
  ),
  define(
    'a version twice',
    ({ spec }) => spec.versions.push({ ...spec.versions[0], storage: false }),
    wrong('spec.versions', ['v1', 'v1beta1', 'v1'], 'must contain unique version names'),
  ),
  define(
    'a version that is no name',
    ({ spec }) => Object.assign(spec.versions[0], { name: 'V 1' }),
    wrong('spec.versions[0].name', 'V 1', LABEL),
  ),
  define(
    'a plural in capitals',
    ({ spec }) => Object.assign(spec.names, { plural: 'CronTabs' }),
    MISNAMED,
    wrong('spec.names.plural', 'CronTabs', LABEL),
  ),
  define('no group', ({ spec }) => Object.assign(spec, { group: '' }), MISNAMED, wrong('spec.group', '', LABEL)),
  field('a field without a type', {}, required(`${X}.type`, 'must not be empty for specified object fields')),
  field(
    'a reference',
    { $ref: '#/x' },
    forbidden(`${X}.$ref`, '$ref is not supported'),
    required(`${X}.type`, 'must not be empty for specified object fields'),
  ),
  field(
    'properties and free keys',
    { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } },
    forbidden(`${X}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
  ),
  change('another scope', { scope: 'Cluster' }, wrong('spec.scope', 'Cluster', 'field is immutable')),
  change(
    'another group',
    { group: 'other.example.com' },
    MISNAMED_THERE,
    wrong('spec.group', 'other.example.com', 'field is immutable'),
  ),
  change('another plural', { names: { plural: 'others' } }, MISNAMED_THERE),
]
