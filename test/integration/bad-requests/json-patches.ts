/** JSON patches that cannot be read, and those that cannot be carried out. */
import { JSON_PATCH } from '../api-raw.ts'
import { THERE } from './places.ts'
import { bad, conflict, type Refusal, type Row, rejected, row, tooLarge, unreadable } from './row.ts'

const NO_OBJECT = bad('the object provided is unrecognized (must be of type Unit): json: the body must be an object')
const operation = (title: string, operations: unknown, refused: Refusal) =>
  row(title, `PATCH ${THERE}`, { type: JSON_PATCH, body: operations }, refused)
const at0 = (why: string) => bad(`error decoding patch: operation 0 ${why}`)
const OPS = 'needs "op", one of add, replace, remove, copy, move, test'
const DEEP = `/${'a/'.repeat(200)}`

export const JSON_PATCHES: readonly Row[] = [
  operation('an object', {}, bad('error decoding patch: a JSON patch must be an array of operations')),
  operation('no JSON', '[', unreadable('Unit', /couldn't get version\/kind; json parse error: /)),
  operation('a text for an operation', ['x'], at0('must be an object')),
  operation('no operation', [{}], at0(OPS)),
  operation('an unknown operation', [{ op: 'spam', path: '/' }], at0(OPS)),
  operation('an operation of every object', [{ op: 'constructor', path: '/' }], at0(OPS)),
  operation('no path', [{ op: 'remove' }], at0('needs "path", a JSON pointer such as /metadata/labels')),
  operation(
    'a path that is no pointer',
    [{ op: 'remove', path: 'spec' }],
    at0('needs "path", a JSON pointer such as /metadata/labels'),
  ),
  operation('no value', [{ op: 'add', path: '/spec/x' }], at0('needs "value"')),
  operation('no from', [{ op: 'move', path: '/spec/x' }], at0('needs "from", a JSON pointer such as /metadata/labels')),
  operation(
    'a path through __proto__',
    [{ op: 'add', path: '/__proto__/polluted', value: 1 }],
    at0('has a "path" that names "__proto__"'),
  ),
  operation('a path too deep', [{ op: 'add', path: DEEP, value: 1 }], at0('has a "path" deeper than 128 levels')),
  operation('to where nothing is', [{ op: 'remove', path: '/spec/none' }], rejected('"/spec/none" does not exist')),
  operation('below a text', [{ op: 'add', path: '/kind/x', value: 1 }], rejected('"/kind/x" does not exist')),
  operation(
    'beyond a list',
    [{ op: 'add', path: '/metadata/managedFields/99', value: 1 }],
    rejected('"/metadata/managedFields/99": Add operation must not attempt to create a sparse array!'),
  ),
  operation(
    'a test that fails',
    [{ op: 'test', path: '/spec', value: {} }],
    rejected('testing path "/spec" value failed'),
  ),
  operation(
    'a test of what every object has',
    [{ op: 'test', path: '/constructor', value: {} }],
    rejected('"/constructor" does not exist'),
  ),
  operation(
    'a move into itself',
    [{ op: 'move', from: '/spec', path: '/spec/x' }],
    rejected('"/spec" cannot move into itself'),
  ),
  operation('the object taken away', [{ op: 'remove', path: '' }], rejected('the whole object cannot be removed')),
  operation('a list for the object', [{ op: 'replace', path: '', value: [] }], NO_OBJECT),
  operation(
    'a stale version',
    [{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }],
    conflict('units.flotilla.dev', 'there.service'),
  ),
  operation(
    '10 001 operations',
    Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: 1 })),
    tooLarge('The allowed maximum operations in a JSON patch is 10000, got 10001'),
  ),
  operation(
    'half done',
    [
      { op: 'replace', path: '/spec/content', value: '[Service]' },
      { op: 'remove', path: '/spec/none' },
    ],
    rejected('"/spec/none" does not exist'),
  ),
]
