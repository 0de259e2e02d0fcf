/** Server-side apply: conflicts and mistakes. */
import { UNITS, unitBody } from '../api-raw.ts'
import { APPLY, CONFIG_MAPS } from './places.ts'
import {
  bad,
  conflict,
  invalidPart,
  notFound,
  type Refusal,
  type Row,
  required,
  row,
  strict,
  tooLong,
  undecodable,
  unreadable,
  wrong,
} from './row.ts'

const owned = (data: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'owned', ...metadata },
  data,
})
const apply = (
  title: string,
  body: unknown,
  refused: Refusal,
  query = 'fieldManager=second',
  path = `${CONFIG_MAPS}/owned`,
): Row => row(title, `PATCH ${path}?${query}`, { type: APPLY, body }, refused)
const contested = (message: string, ...fields: string[]): Refusal => ({
  code: 409,
  reason: 'Conflict',
  message,
  details: {
    causes: fields.map((field) => ({ reason: 'FieldManagerConflict', message: 'conflict with "first"', field })),
  },
})
const OPTIONS = 'PatchOptions.meta.k8s.io'

export const APPLIES: readonly Row[] = [
  apply(
    'one field of another manager',
    owned({ a: '2' }),
    contested('Apply failed with 1 conflict: conflict with "first": .data.a', '.data.a'),
  ),
  apply(
    'two fields of another manager',
    owned({ a: '2', b: '2' }),
    contested('Apply failed with 2 conflicts: conflicts with "first":\n- .data.a\n- .data.b', '.data.a', '.data.b'),
  ),
  apply('by nobody', owned({}), invalidPart(OPTIONS, required('fieldManager', 'is required for apply patch')), ''),
  apply(
    'by a name too long',
    owned({}),
    invalidPart(OPTIONS, tooLong('fieldManager', 128)),
    `fieldManager=${'x'.repeat(129)}`,
  ),
  apply(
    'by a name nobody can read',
    owned({}),
    invalidPart(OPTIONS, wrong('fieldManager', 'a\u0001', 'should only contain printable characters')),
    'fieldManager=a%01',
  ),
  apply('with managedFields', owned({}, { managedFields: [] }), bad('metadata.managedFields must be nil')),
  apply(
    'under another name',
    { ...owned({}), metadata: { name: 'b' } },
    bad('the name of the object (b) does not match the name on the URL (owned)'),
  ),
  apply(
    'to another uid',
    owned({}, { uid: 'u' }),
    conflict('configmaps', 'owned', /Precondition failed: UID in precondition: u, UID in object meta: [0-9a-f-]{36}/),
  ),
  apply(
    'to a uid that is not there',
    { ...owned({}), metadata: { name: 'none', uid: 'u' } },
    conflict(
      'configmaps',
      'none',
      'uid mismatch: the provided object specified uid u, and no existing object was found',
    ),
    undefined,
    `${CONFIG_MAPS}/none`,
  ),
  apply(
    'of another kind',
    { ...owned({}), kind: 'Secret' },
    bad('the API version in the data (v1, Kind=Secret) does not match the expected API version (v1, Kind=ConfigMap)'),
  ),
  apply(
    'of a list',
    [],
    bad('the object provided is unrecognized (must be of type ConfigMap): json: the body must be an object'),
  ),
  apply('of no YAML', '{', unreadable('ConfigMap', /couldn't get version\/kind; yaml parse error: /)),
  apply(
    'of an unknown field under Strict',
    { ...owned({}), bogus: 1 },
    strict('ConfigMap', 'unknown field "bogus"'),
    'fieldManager=second&fieldValidation=Strict',
  ),
  apply(
    'into a namespace that is not there',
    owned({}),
    notFound('namespaces', 'none'),
    undefined,
    '/api/v1/namespaces/none/configmaps/owned',
  ),
  apply(
    'the status of nothing',
    unitBody('none.service'),
    notFound('units.flotilla.dev', 'none.service'),
    undefined,
    `${UNITS}/none.service/status`,
  ),
  apply('of a stale version', owned({}, { resourceVersion: '1' }), conflict('configmaps', 'owned')),
  apply(
    'of a wrong type',
    owned({ c: 1 }),
    undecodable('ConfigMap', 'json: cannot unmarshal number into Go struct field ConfigMap.data.c of type string'),
  ),
]
