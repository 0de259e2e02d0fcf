/** Names, labels, owners and the rest of metadata; objects that are there already, or may not be there. */
import { LEASES, NAMESPACES, UNITS, unitBody } from '../api-raw.ts'
import { CONFIG_MAPS } from './places.ts'
import {
  bad,
  duplicate,
  exists,
  invalid,
  mayNot,
  notFound,
  type Refusal,
  type Row,
  required,
  row,
  tooLong,
  wrong,
} from './row.ts'

const NAME_PART =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

const UNIT = 'Unit.flotilla.dev'
const post = (title: string, body: unknown, refused: Refusal): Row => row(title, `POST ${UNITS}`, { body }, refused)
const named = (title: string, name: string, why: string): Row =>
  post(title, unitBody(name), invalid(UNIT, name, wrong('metadata.name', name, why)))
const meta = (title: string, metadata: object, ...causes: Parameters<typeof invalid>[2][]): Row =>
  post(title, unitBody('new.service', {}, metadata as Record<string, unknown>), invalid(UNIT, 'new.service', ...causes))
const map = (title: string, name: string, why: string): Row =>
  row(
    title,
    `POST ${CONFIG_MAPS}`,
    { body: { metadata: { name } } },
    invalid('ConfigMap', name, wrong('metadata.name', name, why)),
  )
const NO_NAME = invalid(UNIT, '', required('metadata.name', 'name or generateName is required'))
const owner = (name: string, rest: object = {}) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: name, ...rest })

export const NAMES: readonly Row[] = [
  post('no name', { ...unitBody(''), metadata: {} }, NO_NAME),
  post('an empty name', unitBody(''), NO_NAME),
  post('no metadata', { ...unitBody(''), metadata: undefined }, NO_NAME),
  post('metadata that is null', { ...unitBody(''), metadata: null }, bad('metadata must be an object')),
  post('metadata that is a list', { ...unitBody(''), metadata: [] }, bad('metadata must be an object')),
  named('a name without a type', 'web', 'unit name must contain "."'),
  named('a name of no unit type', 'web.exe', 'invalid unit type: "exe"'),
  named('a name with a space', 'a b.service', "invalid character ' ' in unit name"),
  named('a name with a slash', '../../etc/passwd.service', "may not contain '/'"),
  named('a name of two dots', '..', "may not be '..'"),
  named('a name with a zero byte', 'a\u0000.service', 'may not contain control characters'),
  named('a name with a percent sign', 'a%2f.service', "may not contain '%'"),
  map('capitals in a name', 'Big', SUBDOMAIN),
  map('a name that ends in a dash', 'a-', SUBDOMAIN),
  map('a name with an underscore', 'a_b', SUBDOMAIN),
  map('a name with a slash, in core', 'a/b', "may not contain '/'"),
  row(
    'a namespace with a dot',
    `POST ${NAMESPACES}`,
    { body: { metadata: { name: 'a.b' } } },
    invalid('Namespace', 'a.b', wrong('metadata.name', 'a.b', LABEL)),
  ),
  ...['name', 'generateName', 'namespace', 'uid', 'resourceVersion'].map((field) =>
    post(
      `a ${field} that is a number`,
      unitBody('a.service', {}, { [field]: 5 }),
      bad(`metadata.${field} must be a string`),
    ),
  ),
  post('what is there already', unitBody('there.service'), exists('units.flotilla.dev', 'there.service')),
  post(
    'what is being deleted',
    unitBody('going.service'),
    exists('units.flotilla.dev', 'going.service', 'object is being deleted: '),
  ),
  row(
    'a core object that is there',
    `POST ${CONFIG_MAPS}`,
    { body: { metadata: { name: 'map' } } },
    exists('configmaps', 'map'),
  ),
  post(
    'a version in what is new',
    unitBody('new.service', {}, { resourceVersion: '5' }),
    bad('resourceVersion should not be set on objects to be created'),
  ),
]

export const METADATA: readonly Row[] = [
  meta('a label key that is none', { labels: { 'a b': 'x' } }, wrong('metadata.labels', 'a b', NAME_PART)),
  meta(
    'a label key with a bad prefix',
    { labels: { 'A_/b': 'x' } },
    wrong('metadata.labels', 'A_/b', `prefix part ${SUBDOMAIN}`),
  ),
  meta(
    'a label key without a name',
    { labels: { 'a.b/': 'x' } },
    wrong('metadata.labels', 'a.b/', 'name part must be non-empty'),
    wrong('metadata.labels', 'a.b/', NAME_PART),
  ),
  meta('a label value that is none', { labels: { a: 'web@1' } }, wrong('metadata.labels', 'web@1', LABEL_VALUE)),
  meta(
    'a label value too long',
    { labels: { a: 'x'.repeat(64) } },
    wrong('metadata.labels', 'x'.repeat(64), 'must be no more than 63 characters'),
  ),
  meta(
    'an annotation key that is none',
    { annotations: { 'a b': 'x' } },
    wrong('metadata.annotations', 'a b', NAME_PART),
  ),
  meta('annotations too long', { annotations: { a: 'x'.repeat(300_000) } }, tooLong('metadata.annotations', 262_144)),
  meta('a finalizer that is none', { finalizers: ['a b'] }, wrong('metadata.finalizers', 'a b', NAME_PART)),
  meta(
    'both ways to wait for dependents',
    { finalizers: ['orphan', 'foregroundDeletion'] },
    wrong(
      'metadata.finalizers',
      ['orphan', 'foregroundDeletion'],
      'finalizer orphan and foregroundDeletion cannot be both set',
    ),
  ),
  meta(
    'an owner without uid',
    { ownerReferences: [{ ...owner('x'), uid: undefined }] },
    required('metadata.ownerReferences[0].uid'),
  ),
  meta(
    'an Event that owns',
    { ownerReferences: [owner('x', { kind: 'Event' })] },
    wrong(
      'metadata.ownerReferences',
      owner('x', { kind: 'Event' }),
      '/v1, Kind=Event is disallowed from being an owner',
    ),
  ),
  meta(
    'two that control',
    { ownerReferences: [owner('x', { controller: true }), owner('y', { controller: true })] },
    wrong(
      'metadata.ownerReferences',
      [owner('x', { controller: true }), owner('y', { controller: true })],
      'Only one reference can have Controller set to true. Found "true" in references for Pod/x and Pod/y',
    ),
  ),
  meta(
    'two mistakes',
    { labels: { a: '-' }, finalizers: ['-'] },
    wrong('metadata.labels', '-', LABEL_VALUE),
    wrong('metadata.finalizers', '-', NAME_PART),
  ),
]

const ENDING = '/api/v1/namespaces/ending/configmaps'
export const NAMESPACED: readonly Row[] = [
  row(
    'something in a namespace that is not there',
    'POST /apis/coordination.k8s.io/v1/namespaces/nowhere/leases',
    { body: { metadata: { name: 'a' } } },
    notFound('namespaces', 'nowhere'),
  ),
  row(
    'something for another namespace',
    `POST ${LEASES}`,
    { body: { metadata: { name: 'a', namespace: 'other' } } },
    bad('the namespace of the provided object does not match the namespace sent on the request'),
  ),
  row(
    'something in a namespace that ends',
    `POST ${ENDING}`,
    { body: { metadata: { name: 'new' } } },
    {
      ...mayNot(
        'configmaps',
        'new',
        'configmaps "new" is forbidden: unable to create new content in namespace ending because it is being terminated',
      ),
      details: {
        name: 'new',
        kind: 'configmaps',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace ending is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
    },
  ),
]

const spec = (title: string, body: Record<string, unknown>, ...causes: Parameters<typeof invalid>[2][]): Row =>
  post(title, unitBody('new.service', body), invalid(UNIT, 'new.service', ...causes))
export const LISTS: readonly Row[] = [
  spec(
    'a key twice in a list',
    {
      environment: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    duplicate('spec.environment[1]', { name: 'A' }),
  ),
]
