/** Status, scale, eviction, log and exec. */
import { JSON_PATCH, MACHINES, MERGE, UNITS, unitBody } from '../api-raw.ts'
import { POD, PODS, THERE, WEB } from './places.ts'
import {
  bad,
  conflict,
  invalid,
  invalidPart,
  notFound,
  type Refusal,
  type Row,
  row,
  typed,
  unreadable,
  unsupported,
  wrong,
} from './row.ts'

const units = 'units.flotilla.dev'
const OPTIONS = 'DeleteOptions.meta.k8s.io'
const scale = (title: string, method: string, body: unknown, refused: Refusal, type = MERGE): Row =>
  row(title, `${method} ${WEB}/scale`, { body, ...(method === 'PATCH' && { type }) }, refused)
const NO_COUNT = bad('spec.replicas of a Scale must be a whole number')
const status = (title: string, body: object, refused: Refusal): Row =>
  row(title, `PATCH ${THERE}/status`, { type: MERGE, body }, refused)
const STATES = ['inactive', 'loaded', 'launched']

export const STATUS_AND_SCALE: readonly Row[] = [
  scale(
    'a scale below zero',
    'PATCH',
    { spec: { replicas: -1 } },
    invalid('Unit.flotilla.dev', 'web@.service', wrong('spec.replicas', -1, 'must be greater than or equal to 0')),
  ),
  scale('a scale of words', 'PATCH', { spec: { replicas: 'many' } }, NO_COUNT),
  scale('half a replica', 'PUT', { spec: { replicas: 0.5 } }, NO_COUNT),
  scale(
    'too large a scale',
    'PATCH',
    { spec: { replicas: 1e6 } },
    invalid(
      'Unit.flotilla.dev',
      'web@.service',
      wrong('spec.replicas', 1e6, 'spec.replicas in body should be less than or equal to 10000'),
    ),
  ),
  scale('a text', 'PUT', '"x"', bad('the object provided is unrecognized (must be of type Scale)')),
  scale(
    'another kind',
    'PUT',
    { kind: 'Unit', spec: { replicas: 1 } },
    bad('expected autoscaling/v1, Kind=Scale, got "autoscaling/v1", Kind="Unit"'),
  ),
  scale(
    'another name',
    'PUT',
    { metadata: { name: 'b' }, spec: { replicas: 1 } },
    bad('the name of the object ("b") does not match the name on the URL (web@.service)'),
  ),
  scale(
    'a stale version',
    'PUT',
    { metadata: { resourceVersion: '1' }, spec: { replicas: 1 } },
    conflict(units, 'web@.service'),
  ),
  scale(
    'a test that fails',
    'PATCH',
    [{ op: 'test', path: '/spec/replicas', value: 99 }],
    {
      code: 422,
      reason: 'Invalid',
      message:
        'the server rejected our request due to an error in our request: JSON patch: testing path "/spec/replicas" value failed',
      details: {},
    },
    JSON_PATCH,
  ),
  row(
    'a scale of nothing',
    `PATCH ${UNITS}/none@.service/scale`,
    { type: MERGE, body: {} },
    notFound(units, 'none@.service'),
  ),
  status(
    'a state that is none',
    { status: { currentState: 'flying' } },
    invalid('Unit.flotilla.dev', 'there.service', unsupported('status.currentState', 'flying', ...STATES)),
  ),
  status(
    'a status that is a text',
    { status: 'x' },
    invalid('Unit.flotilla.dev', 'there.service', typed('status', 'string', 'object')),
  ),
  status(
    'a condition twice',
    { status: { conditions: [condition(), condition()] } },
    invalid('Unit.flotilla.dev', 'there.service', {
      reason: 'FieldValueDuplicate',
      message: 'Duplicate value: {"type":"Active"}',
      field: 'status.conditions[1]',
    }),
  ),
  row(
    'a status of another name',
    `PUT ${THERE}/status`,
    { body: unitBody('b.service') },
    bad('the name of the object (b.service) does not match the name on the URL (there.service)'),
  ),
  row(
    'the status of nothing',
    `PUT ${UNITS}/none.service/status`,
    { body: unitBody('none.service') },
    notFound(units, 'none.service'),
  ),
]

function condition() {
  return { type: 'Active', status: 'True', reason: 'A', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
}

const evict = (title: string, body: unknown, refused: Refusal, path = POD): Row =>
  row(title, `POST ${path}/eviction`, { body }, refused)
const BUDGET = {
  code: 429,
  reason: 'TooManyRequests',
  message: "Cannot evict pod as it would violate the pod's disruption budget.",
  details: {
    causes: [
      {
        reason: 'DisruptionBudget',
        message: 'The disruption budget all needs 1 healthy pods and has 1 currently',
        field: '',
      },
    ],
  },
}

export const EVICTIONS: readonly Row[] = [
  evict('of another kind', { kind: 'Pod' }, bad('the object provided is unrecognized (must be of type Eviction)')),
  evict('a list', [], bad('the object provided is unrecognized (must be of type Eviction)')),
  evict('no JSON', '{', unreadable('Eviction', /couldn't get version\/kind; json parse error: /)),
  evict(
    'of another name',
    { metadata: { name: 'b' } },
    bad('name in URL does not match name in Eviction object: pod in the URL'),
  ),
  evict('of nothing', {}, notFound('pods', 'none'), `${PODS}/none`),
  evict(
    'with strange options',
    { deleteOptions: { dryRun: ['x'] } },
    invalidPart(OPTIONS, unsupported('dryRun', ['x'], 'All')),
  ),
  evict(
    'with another uid',
    { deleteOptions: { preconditions: { uid: 'x' } } },
    conflict(
      'Pod',
      'pod',
      /the UID in the precondition \(x\) does not match the UID in record \([0-9a-f-]{36}\)\. The object might have been deleted and then recreated/,
    ),
  ),
]

export const GUARDED: readonly Row[] = [evict('against its budget', {}, BUDGET, `${PODS}/guarded`)]

const NOWHERE = bad(
  'unit "there.service" is not on any machine: flotilla why unit/there.service says what it waits for',
)
const SILENT = {
  code: 503,
  reason: 'ServiceUnavailable',
  message: 'machine "quiet" has not told where its agent listens; is the agent running there?',
  details: { retryAfterSeconds: 1 },
}

const NO_HOST = bad('pod pod does not have a host assigned')
const UPGRADE = { connection: 'Upgrade', upgrade: 'websocket' }
const KEY = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
/** Good ones and bad ones: who is nowhere cannot be reached by any. */
const HANDSHAKES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a plain GET': {},
  'a handshake without a key': { ...UPGRADE, 'sec-websocket-version': '13' },
  'a handshake of an old version': { ...UPGRADE, ...KEY, 'sec-websocket-version': '8' },
  'a handshake without a protocol': { ...UPGRADE, ...KEY, 'sec-websocket-version': '13' },
  SPDY: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
}

export const AGENT_PATHS: readonly Row[] = [
  row('the log of what is nowhere', `GET ${THERE}/log`, {}, NOWHERE),
  row('the log of nothing', `GET ${UNITS}/none.service/log`, {}, notFound(units, 'none.service')),
  row('the log from a machine whose agent is silent', `GET ${UNITS}/placed.service/log`, {}, SILENT),
  row(
    'exec on a machine that is not there',
    `GET ${MACHINES}/none/exec`,
    {},
    notFound('machines.flotilla.dev', 'none'),
  ),
  ...Object.entries(HANDSHAKES).map(([how, headers]) =>
    row(`exec by ${how}, on a machine whose agent is silent`, `GET ${UNITS}/placed.service/exec`, { headers }, SILENT),
  ),
  ...['exec', 'attach', 'portforward', 'log'].flatMap((way) =>
    Object.entries(HANDSHAKES).map(([how, headers]) =>
      row(`${way} of a pod that runs nowhere, by ${how}`, `GET ${PODS}/pod/${way}`, { headers }, NO_HOST),
    ),
  ),
  ...Object.entries(HANDSHAKES).map(([how, headers]) =>
    row(`port-forward to no pod, by ${how}`, `GET ${PODS}/none/portforward`, { headers }, notFound('pods', 'none')),
  ),
  row('exec in what is nowhere', `GET ${THERE}/exec`, {}, NOWHERE),
]
