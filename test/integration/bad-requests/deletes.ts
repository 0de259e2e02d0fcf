/** Deletions, their options and conditions. */
import { NAMESPACES, UNITS } from '../api-raw.ts'
import { CONFIG_MAPS, THERE } from './places.ts'
import {
  bad,
  conflict,
  invalidPart,
  mayNot,
  notFound,
  type Refusal,
  type Row,
  row,
  unreadable,
  unsupported,
  wrong,
} from './row.ts'

const units = 'units.flotilla.dev'
const remove = (title: string, body: unknown, refused: Refusal, path = THERE): Row =>
  row(title, `DELETE ${path}`, { body }, refused)
const OPTIONS = 'DeleteOptions.meta.k8s.io'
const POLICIES = ['Foreground', 'Background', 'Orphan', 'nil']
const NO_OPTIONS = bad('the object provided is unrecognized (must be of type DeleteOptions)')

export const DELETES: readonly Row[] = [
  row('what is not there', `DELETE ${UNITS}/none.service`, {}, notFound(units, 'none.service')),
  row('a core object that is not there', `DELETE ${CONFIG_MAPS}/none`, {}, notFound('configmaps', 'none')),
  ...['default', 'kube-system'].map((name) =>
    row(
      `namespace ${name}`,
      `DELETE ${NAMESPACES}/${name}`,
      {},
      mayNot('namespaces', name, `namespaces "${name}" is forbidden: this namespace may not be deleted`),
    ),
  ),
  remove('options that are a list', [], bad('DeleteOptions must be an object')),
  remove('options that are a text', '"x"', bad('DeleteOptions must be an object')),
  remove('options of another kind', { kind: 'Unit' }, NO_OPTIONS),
  remove(
    'options that are no JSON',
    '{',
    unreadable('DeleteOptions', /couldn't get version\/kind; json parse error: /),
  ),
  remove(
    'a strange policy',
    { propagationPolicy: 'Sideways' },
    invalidPart(OPTIONS, unsupported('propagationPolicy', 'Sideways', ...POLICIES)),
  ),
  remove(
    'a policy that is a number',
    { propagationPolicy: 5 },
    invalidPart(OPTIONS, unsupported('propagationPolicy', 5, ...POLICIES)),
  ),
  row(
    'a strange policy in the query',
    `DELETE ${THERE}?propagationPolicy=Down`,
    {},
    invalidPart(OPTIONS, unsupported('propagationPolicy', 'Down', ...POLICIES)),
  ),
  remove(
    'the old and the new way at once',
    { propagationPolicy: 'Orphan', orphanDependents: true },
    invalidPart(
      OPTIONS,
      wrong('propagationPolicy', 'Orphan', 'orphanDependents and deletionPropagation cannot be both set'),
    ),
  ),
  remove(
    'the old way in words',
    { orphanDependents: 'maybe' },
    bad('DeleteOptions: orphanDependents must be true or false'),
  ),
  remove('a strange dry run', { dryRun: ['Some'] }, invalidPart(OPTIONS, unsupported('dryRun', ['Some'], 'All'))),
  remove('a dry run that is a text', { dryRun: 'All' }, bad('DeleteOptions: dryRun must be a list of strings')),
  remove(
    'a grace period of words',
    { gracePeriodSeconds: 'soon' },
    bad('DeleteOptions: gracePeriodSeconds must be a whole number'),
  ),
  remove(
    'half a second of grace',
    { gracePeriodSeconds: 0.5 },
    bad('DeleteOptions: gracePeriodSeconds must be a whole number'),
  ),
  remove('preconditions that are a list', { preconditions: [] }, bad('DeleteOptions: preconditions must be an object')),
  remove(
    'a uid that is a number',
    { preconditions: { uid: 5 } },
    bad('DeleteOptions: preconditions.uid must be a string'),
  ),
  remove(
    'another uid',
    { preconditions: { uid: 'other' } },
    conflict(
      'Unit.flotilla.dev',
      'there.service',
      /the UID in the precondition \(other\) does not match the UID in record \([0-9a-f-]{36}\)\. The object might have been deleted and then recreated/,
    ),
  ),
  remove(
    'another version',
    { preconditions: { resourceVersion: '1' } },
    conflict(
      'Unit.flotilla.dev',
      'there.service',
      /the ResourceVersion in the precondition \(1\) does not match the ResourceVersion in record \(\d+\)\. The object might have been modified/,
    ),
  ),
  row(
    'another uid of a namespace',
    'DELETE /api/v1/namespaces/ending',
    { body: { preconditions: { uid: 'other' } } },
    conflict(
      'namespaces',
      'ending',
      /Precondition failed: UID in precondition: other, UID in object meta: [0-9a-f-]{36}/,
    ),
  ),
  remove(
    'a collection with strange options',
    { dryRun: ['Some'] },
    invalidPart(OPTIONS, unsupported('dryRun', ['Some'], 'All')),
    UNITS,
  ),
]
