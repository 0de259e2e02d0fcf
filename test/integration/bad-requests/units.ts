/** What our own kinds refuse: their schema and their rules. */
import { MACHINES, UNITS, unitBody } from '../api-raw.ts'
import { invalid, type Row, required, row, tooLong, typed, unsupported, wrong } from './row.ts'

type Cause = Parameters<typeof invalid>[2]
const UNIT = 'Unit.flotilla.dev'
const post = (title: string, body: unknown, ...causes: Cause[]): Row =>
  row(title, `POST ${UNITS}`, { body }, invalid(UNIT, 'new.service', ...causes))
const spec = (title: string, fields: object, ...causes: Cause[]): Row =>
  post(title, unitBody('new.service', fields as Record<string, unknown>), ...causes)

export const RULES: readonly Row[] = [
  post('no spec', { ...unitBody('new.service'), spec: undefined }, required('spec')),
  post('a spec that is null', { ...unitBody('new.service'), spec: null }, typed('spec', 'null', 'object')),
  post('a spec that is a text', { ...unitBody('new.service'), spec: 'x' }, typed('spec', 'string', 'object')),
  post('no content', { ...unitBody('new.service'), spec: {} }, required('spec.content')),
  spec(
    'an empty content',
    { content: ' ' },
    wrong('spec.content', ' ', 'must hold a systemd unit file, for example "[Service]\\nExecStart=/bin/true"'),
  ),
  spec('a content that is a number', { content: 5 }, typed('spec.content', 'integer', 'string')),
  spec('a content too long', { content: 'x'.repeat(300_000) }, tooLong('spec.content', 262_144)),
  spec(
    'two mistakes',
    { content: 5, failover: 'never' },
    typed('spec.content', 'integer', 'string'),
    unsupported('spec.failover', 'never', 'reschedule', 'exclusive', 'none'),
  ),
  spec(
    'too many replicas',
    { replicas: 1_000_000 },
    wrong('spec.replicas', 1_000_000, 'spec.replicas in body should be less than or equal to 10000'),
  ),
  spec(
    'less than no replicas',
    { replicas: -1 },
    wrong('spec.replicas', -1, 'spec.replicas in body should be greater than or equal to 0'),
  ),
  spec('half a replica', { replicas: 1.5 }, typed('spec.replicas', 'number', 'integer')),
  spec('replicas that are a text', { replicas: '3' }, typed('spec.replicas', 'string', 'integer')),
  spec('replicas that are null', { replicas: null }, typed('spec.replicas', 'null', 'integer')),
  spec(
    'a wrong name deep inside',
    { environment: [{ name: 'OK' }, { name: '1BAD' }] },
    wrong(
      'spec.environment[1].name',
      '1BAD',
      "spec.environment[1].name in body should match '^[A-Za-z_][A-Za-z0-9_]*$'",
    ),
  ),
  spec('a list that is an object', { environment: {} }, typed('spec.environment', 'object', 'array')),
  row(
    'a template that is to run',
    `POST ${UNITS}`,
    { body: unitBody('t@.service', { desiredState: 'launched' }) },
    invalid(
      UNIT,
      't@.service',
      wrong(
        'spec.desiredState',
        'launched',
        'cannot activate template "t@.service": give it replicas, or apply instances such as "t@1.service"',
      ),
    ),
  ),
  row(
    'a taint of no effect',
    `POST ${MACHINES}`,
    { body: { metadata: { name: 'm' }, spec: { taints: [{ key: 'a', effect: 'Never' }] } } },
    invalid(
      'Machine.flotilla.dev',
      'm',
      unsupported('spec.taints[0].effect', 'Never', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'),
    ),
  ),
]
