/** Kubernetes' own kinds but Pods: their rules, and what may not change any more. */
import { EVENTS, MERGE } from '../api-raw.ts'
import { CONFIG_MAPS, SECRETS, SERVICES } from './places.ts'
import {
  duplicate,
  forbidden,
  invalid,
  type Refusal,
  type Row,
  required,
  row,
  tooLong,
  undecodable,
  unsupported,
  wrong,
} from './row.ts'

type Cause = Parameters<typeof invalid>[2]
const IMMUTABLE = 'field is immutable when `immutable` is set'
const map = (title: string, body: object, ...causes: Cause[]): Row =>
  row(
    title,
    `POST ${CONFIG_MAPS}`,
    { body: { metadata: { name: 'm' }, ...body } },
    invalid('ConfigMap', 'm', ...causes),
  )
const secret = (title: string, body: object, ...causes: Cause[]): Row =>
  row(title, `POST ${SECRETS}`, { body: { metadata: { name: 's' }, ...body } }, invalid('Secret', 's', ...causes))
const change = (title: string, path: string, body: object, refused: Refusal, type = MERGE): Row =>
  row(title, `PATCH ${path}`, { type, body }, refused)
const KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

export const DATA: readonly Row[] = [
  map('a key that is none', { data: { 'a b': 'x' } }, wrong('data[a b]', 'a b', KEY)),
  map(
    'a key in both maps',
    { data: { a: 'x' }, binaryData: { a: 'eA==' } },
    wrong('data[a]', 'a', 'duplicate of key present in binaryData'),
  ),
  map('data too long', { data: { a: 'x'.repeat(1_100_000) } }, tooLong('data', 1_048_576)),
  secret('a secret’s key that is none', { data: { 'a/b': 'eA==' } }, wrong('data[a/b]', 'a/b', KEY)),
  secret(
    'a TLS secret without its keys',
    { type: 'kubernetes.io/tls' },
    required('data[tls.crt]'),
    required('data[tls.key]'),
  ),
  secret(
    'an account’s token of nobody',
    { type: 'kubernetes.io/service-account-token' },
    required('metadata.annotations[kubernetes.io/service-account.name]'),
  ),
  secret(
    'a registry login that is no JSON',
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'eA==' } },
    wrong('data[.dockerconfigjson]', '<secret contents redacted>', 'invalid JSON'),
  ),
  row(
    'a secret that is no base64',
    `POST ${SECRETS}`,
    { body: { metadata: { name: 's' }, data: { a: '%' } } },
    undecodable('Secret', 'illegal base64 data at input byte 0'),
  ),
  change(
    'a frozen map',
    `${CONFIG_MAPS}/frozen`,
    { data: { a: '2' } },
    invalid('ConfigMap', 'frozen', forbidden('data', IMMUTABLE)),
  ),
  change(
    'a thaw',
    `${CONFIG_MAPS}/frozen`,
    { immutable: false },
    invalid('ConfigMap', 'frozen', forbidden('immutable', IMMUTABLE)),
  ),
  change(
    'a frozen secret',
    `${SECRETS}/frozen`,
    { data: { a: 'Mg==' } },
    invalid('Secret', 'frozen', forbidden('data', IMMUTABLE)),
  ),
  change(
    'another type for a secret',
    `${SECRETS}/opaque`,
    { type: 'x' },
    invalid('Secret', 'opaque', wrong('type', 'x', 'field is immutable')),
  ),
]

const service = (title: string, spec: object, ...causes: Cause[]): Row =>
  row(title, `POST ${SERVICES}`, { body: { metadata: { name: 's' }, spec } }, invalid('Service', 's', ...causes))
const RANGE = 'must be between 1 and 65535, inclusive'

export const SERVICE_RULES: readonly Row[] = [
  service('no ports', {}, required('spec.ports')),
  service(
    'a port that is none',
    { ports: [{ port: 0 }] },
    wrong('spec.ports[0].port', 0, RANGE),
    wrong('spec.ports[0].targetPort', 0, RANGE),
  ),
  service(
    'two ports without names',
    { ports: [{ port: 1 }, { port: 2 }] },
    required('spec.ports[0].name'),
    required('spec.ports[1].name'),
  ),
  service(
    'a name twice',
    {
      ports: [
        { port: 1, name: 'a' },
        { port: 2, name: 'a' },
      ],
    },
    duplicate('spec.ports[1].name', 'a'),
  ),
  service(
    'a port twice',
    {
      ports: [
        { port: 1, name: 'a' },
        { port: 1, name: 'b' },
      ],
    },
    duplicate('spec.ports[1]', { port: 1, protocol: 'TCP' }),
  ),
  service(
    'a type that is none',
    { type: 'Door', ports: [{ port: 1 }] },
    unsupported('spec.type', 'Door', 'ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'),
  ),
  service(
    'an address that is none',
    { clusterIP: 'x', ports: [{ port: 1 }] },
    wrong('spec.clusterIPs[0]', 'x', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
  ),
  service('an alias of nothing', { type: 'ExternalName' }, required('spec.externalName')),
  row(
    'a port that is a text',
    `POST ${SERVICES}`,
    { body: { metadata: { name: 's' }, spec: { ports: [{ port: 'x' }] } } },
    undecodable(
      'Service',
      'json: cannot unmarshal string into Go struct field Service.spec.ports.port of type integer',
    ),
  ),
  change(
    'another address',
    `${SERVICES}/svc`,
    { spec: { clusterIP: '10.0.0.10', clusterIPs: ['10.0.0.10'] } },
    invalid('Service', 'svc', wrong('spec.clusterIPs[0]', '10.0.0.10', 'may not change once set')),
  ),
]

export const EVENT_RULES: readonly Row[] = [
  row(
    'an event of another namespace',
    `POST ${EVENTS}`,
    { body: { metadata: { name: 'e' }, involvedObject: { kind: 'Pod', namespace: 'other' } } },
    invalid('Event', 'e', wrong('involvedObject.namespace', 'other', 'does not match event.namespace')),
  ),
]
