/** Updates; merge patches and strategic ones. */
import { JSON_PATCH, MERGE, NAMESPACES, STRATEGIC, UNITS, unitBody } from '../api-raw.ts'
import { APPLY, CONFIG_MAPS, GOING, POD, THERE } from './places.ts'
import {
  bad,
  conflict,
  duplicate,
  forbidden,
  invalid,
  invalidPart,
  media,
  notFound,
  type Refusal,
  type Row,
  required,
  row,
  strict,
  typed,
  unreadable,
  unsupported,
  wrong,
} from './row.ts'

const UNIT = 'Unit.flotilla.dev'
const units = 'units.flotilla.dev'
const there = (rest: Record<string, unknown> = {}) => unitBody('there.service', {}, rest)
const put = (title: string, body: unknown, refused: Refusal, path = THERE): Row =>
  row(title, `PUT ${path}`, { body }, refused)
const NO_OBJECT = bad('the object provided is unrecognized (must be of type Unit): json: the body must be an object')
const NO_VERSION = wrong('metadata.resourceVersion', 0, 'must be specified for an update')
const OTHER_NAME = bad('the name of the object (b.service) does not match the name on the URL (there.service)')

export const UPDATES: readonly Row[] = [
  put(
    'PUT of nothing',
    '',
    unreadable('Unit', /couldn't get version\/kind; json parse error: Unexpected end of JSON input$/),
  ),
  put('PUT of a list', [], NO_OBJECT),
  put('PUT without a version', there(), {
    ...invalid(units, 'there.service', { ...NO_VERSION, message: NO_VERSION.message.replace('0:', '0x0:') }),
  }),
  put('PUT with a stale version', there({ resourceVersion: '1' }), conflict(units, 'there.service')),
  put('PUT with a version that is none', there({ resourceVersion: 'x' }), conflict(units, 'there.service')),
  put(
    'PUT with a version that is a number',
    there({ resourceVersion: 1 }),
    bad('metadata.resourceVersion must be a string'),
  ),
  put('PUT under another name', unitBody('b.service', {}, { resourceVersion: '1' }), OTHER_NAME),
  put(
    'PUT of another kind',
    { ...there(), kind: 'Machine' },
    bad(
      'the API version in the data (flotilla.dev/v1, Kind=Machine) does not match the expected API version (flotilla.dev/v1, Kind=Unit)',
    ),
  ),
  put(
    'PUT of what is not there',
    unitBody('none.service', {}, { resourceVersion: '1' }),
    notFound(units, 'none.service'),
    `${UNITS}/none.service`,
  ),
  put(
    'PUT of a core object that is not there',
    { metadata: { name: 'none' } },
    notFound('configmaps', 'none'),
    `${CONFIG_MAPS}/none`,
  ),
  put(
    'PUT for another namespace',
    { metadata: { name: 'map', namespace: 'x' } },
    bad('the namespace of the provided object does not match the namespace sent on the request'),
    `${CONFIG_MAPS}/map`,
  ),
  row(
    'PUT of a strange validation',
    `PUT ${THERE}?fieldValidation=Maybe`,
    { body: there({ resourceVersion: '1' }) },
    invalidPart('UpdateOptions.meta.k8s.io', unsupported('fieldValidation', 'Maybe', '', 'Ignore', 'Strict', 'Warn')),
  ),
  row(
    'POST of a strange dry run',
    `POST ${UNITS}?dryRun=Some`,
    { body: unitBody('a.service') },
    invalidPart('CreateOptions.meta.k8s.io', unsupported('dryRun', ['Some'], 'All')),
  ),
  row(
    'POST by a manager nobody can read',
    `POST ${UNITS}?fieldManager=a%0Ab`,
    { body: unitBody('a.service') },
    invalidPart('CreateOptions.meta.k8s.io', wrong('fieldManager', 'a\nb', 'should only contain printable characters')),
  ),
]

const patch = (title: string, type: string, body: unknown, refused: Refusal, path = THERE): Row =>
  row(title, `PATCH ${path}`, { type, body }, refused)
const PATCHES = media(JSON_PATCH, MERGE, STRATEGIC, APPLY)

export const MERGES: readonly Row[] = [
  patch('a patch of no type', 'application/json', {}, PATCHES),
  patch('a patch in YAML', 'application/yaml', {}, PATCHES),
  row('a patch without a type', `PATCH ${THERE}`, { type: null, body: '{}' }, PATCHES),
  patch('of what is not there', MERGE, {}, notFound(units, 'none.service'), `${UNITS}/none.service`),
  patch('no JSON', MERGE, '{', unreadable('Unit', /couldn't get version\/kind; json parse error: /)),
  patch('a text', MERGE, '"x"', NO_OBJECT),
  patch('null', MERGE, 'null', NO_OBJECT),
  patch('a list', MERGE, [], NO_OBJECT),
  patch(
    'to another kind',
    MERGE,
    { kind: 'Pod' },
    bad(
      'the API version in the data (flotilla.dev/v1, Kind=Pod) does not match the expected API version (flotilla.dev/v1, Kind=Unit)',
    ),
  ),
  patch('to another name', MERGE, { metadata: { name: 'b.service' } }, OTHER_NAME),
  patch(
    'to another uid',
    MERGE,
    { metadata: { uid: 'other' } },
    conflict(
      units,
      'there.service',
      /Precondition failed: UID in precondition: other, UID in object meta: [0-9a-f-]{36}/,
    ),
  ),
  patch('of a stale version', MERGE, { metadata: { resourceVersion: '1' } }, conflict(units, 'there.service')),
  patch('without the spec', MERGE, { spec: null }, invalid(UNIT, 'there.service', required('spec'))),
  patch(
    'of a wrong type',
    MERGE,
    { spec: { replicas: 'x' } },
    invalid(UNIT, 'there.service', typed('spec.replicas', 'string', 'integer')),
  ),
  patch(
    'of an unknown field under Strict',
    MERGE,
    { spec: { bogus: 1 } },
    strict('Unit', 'unknown field "spec.bogus"'),
    `${THERE}?fieldValidation=Strict`,
  ),
  patch(
    'of a field twice under Strict',
    MERGE,
    '{"spec":{"content":"[Service]","content":"[Service]"}}',
    strict('Unit', 'duplicate field "spec.content"'),
    `${THERE}?fieldValidation=Strict`,
  ),
  patch(
    'of a field that may not change',
    MERGE,
    { spec: { unitName: 'other.service' } },
    invalid(
      UNIT,
      'there.service',
      wrong('spec.unitName', 'other.service', 'field is immutable: delete the unit and create it under the new name'),
    ),
  ),
  patch(
    'of a key twice',
    MERGE,
    { spec: { environment: [{ name: 'A' }, { name: 'A' }] } },
    invalid(UNIT, 'there.service', duplicate('spec.environment[1]', { name: 'A' })),
  ),
  patch(
    'a new finalizer on what goes',
    MERGE,
    { metadata: { finalizers: ['x/y', 'x/z'] } },
    invalid(
      UNIT,
      'going.service',
      forbidden(
        'metadata.finalizers',
        'no new finalizers can be added if the object is being deleted, found new finalizers ["x/z"]',
      ),
    ),
    GOING,
  ),
  patch(
    'with force',
    MERGE,
    {},
    invalidPart('PatchOptions.meta.k8s.io', forbidden('force', 'may not be specified for non-apply patch')),
    `${THERE}?force=true`,
  ),
  patch(
    'with a strange dry run',
    MERGE,
    {},
    invalidPart('PatchOptions.meta.k8s.io', unsupported('dryRun', ['Most'], 'All')),
    `${THERE}?dryRun=Most`,
  ),
  patch('strategic: a list', STRATEGIC, [], bad('a strategic merge patch must be an object'), `${NAMESPACES}/default`),
  patch(
    'strategic: an unknown directive',
    STRATEGIC,
    { metadata: { $patch: 'explode' } },
    bad('unknown $patch directive "explode": merge, replace and delete are known'),
    `${NAMESPACES}/default`,
  ),
  patch(
    'strategic: an element without its key',
    STRATEGIC,
    { spec: { containers: [{ image: 'x' }] } },
    bad('map: {"image":"x"} does not contain declared merge key: name'),
    POD,
  ),
  patch(
    'strategic: a list element that is a text',
    STRATEGIC,
    { spec: { containers: ['x'] } },
    bad('map: "x" does not contain declared merge key: name'),
    POD,
  ),
]
