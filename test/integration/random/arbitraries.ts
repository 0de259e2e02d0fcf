/** What random requests are made of: words that mean something to the server, or to JavaScript, in all the wrong places. */
import * as fc from 'fast-check'
import recorded from '../../fixtures/protobuf/kubectl-1.32.json' with { type: 'json' }
import { EVENTS, JSON_PATCH, LEASES, MERGE, NAMESPACES, STRATEGIC, UNITS } from '../api-raw.ts'
import { APPLY, THERE, WEB } from '../bad-requests/places.ts'

const FIELDS = ['metadata', 'spec', 'status', 'name', 'labels', 'content', 'replicas', 'finalizers', 'resourceVersion']
const PATCHES = ['op', 'path', 'value', 'from', 'add', 'test', 'copy', '/spec/content', '/metadata/labels', '$patch']
const ODD = ['__proto__', 'constructor', 'toString', '', '/', '~1', '\u0000', '\ud800', '1', '0', '-1', 'there.service']
const word = fc.constantFrom(...FIELDS, ...PATCHES, ...ODD)

export const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    word,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 5 }),
    fc.dictionary(word, tie('json'), { maxKeys: 6 }),
  ),
}))

const pointer = fc.array(word, { maxLength: 4 }).map((parts) => parts.map((part) => `/${part}`).join(''))
const op = fc.constantFrom('add', 'remove', 'replace', 'test', 'copy', 'move')
const operations = fc.array(fc.record({ op, path: pointer, from: pointer, value: json }), { maxLength: 5 })
const object = fc.record({ metadata: json, spec: json, status: json }, { requiredKeys: [] })

const PARAMETERS = ['labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'resourceVersionMatch']
const MORE = [
  'fieldValidation',
  'includeObject',
  'propagationPolicy',
  'sendInitialEvents',
  'dryRun',
  'gracePeriodSeconds',
]
const TOKEN = Buffer.from('{"v":"flotilla.dev/v1","rv":"5","start":""}').toString('base64url')
const value = fc.oneof(word, fc.string(), fc.constantFrom('a in (b', 'a=b', '0', '5', 'Exact', 'Strict', 'true', TOKEN))
const query = fc.array(fc.tuple(fc.constantFrom(...PARAMETERS, ...MORE), value), { maxLength: 4 })

const known = [
  UNITS,
  THERE,
  `${THERE}/status`,
  `${WEB}/scale`,
  `${NAMESPACES}/default`,
  LEASES,
  `${LEASES}/lease`,
  EVENTS,
]
const strange = fc.array(word, { maxLength: 4 }).map((parts) => `/apis/flotilla.dev/v1/${parts.map(encoded).join('/')}`)

/** Any request to anything, well-formed as HTTP. */
export const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'),
  path: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: strange }),
  query,
  type: fc.constantFrom('application/json', 'application/yaml', MERGE, JSON_PATCH, STRATEGIC, APPLY),
  body: fc.oneof(
    fc.oneof(json, operations, object).map((one) => JSON.stringify(one)),
    fc.string(),
  ),
  as: fc.constantFrom(
    '',
    ';as=Table;v=v1;g=meta.k8s.io',
    ';as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    ';as=__proto__',
  ),
})

function encoded(text: string): string {
  return text === '\ud800' ? '%ED%A0%80' : encodeURIComponent(text)
}

export type Patch = readonly [type: string, body: unknown]

const VALUES = fc.constantFrom<unknown>('x', '', null, 1, true, {}, [], { a: 'b' }, ['x'], { __proto__: null })
const POINTERS = fc.constantFrom(
  '/data/a',
  '/data/new',
  '/data',
  '/metadata/labels',
  '/metadata/labels/x',
  '/metadata/finalizers/-',
  '/metadata/name',
  '/metadata/managedFields/0',
  '/immutable',
  '/kind',
  '/none/x',
  '/data/constructor',
)
/** Operations of which many can be carried out, so that a list of them fails in the middle. */
const likely = fc.record({ op, path: POINTERS, from: POINTERS, value: VALUES })
const document = fc.record(
  {
    metadata: fc.dictionary(
      fc.constantFrom('labels', 'annotations', 'finalizers', '$patch', '__proto__', 'uid'),
      VALUES,
    ),
    data: fc.oneof(VALUES, fc.dictionary(word, VALUES, { maxKeys: 4 })),
    immutable: VALUES,
    $patch: fc.constantFrom('replace', 'delete', 'merge', 'spam'),
    '$setElementOrder/data': VALUES,
    '$deleteFromPrimitiveList/finalizers': VALUES,
  },
  { requiredKeys: [] },
)

/** Patches of all four types of one ConfigMap. */
export const patch: fc.Arbitrary<Patch> = fc.oneof(
  fc.tuple(fc.constant(JSON_PATCH), fc.array(likely, { minLength: 1, maxLength: 6 })),
  fc.tuple(fc.constantFrom(MERGE, STRATEGIC), document),
  fc.tuple(
    fc.constant(APPLY),
    document.map((one) => ({ apiVersion: 'v1', kind: 'ConfigMap', ...one })),
  ),
)

const bodies = Object.values(recorded).map(({ base64 }) => Buffer.from(base64, 'base64'))
const wound = fc.record({ at: fc.nat(400), drop: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) })

/** What kubectl really sends, with bytes changed, lost and added. */
export const mutatedProtobuf = fc
  .tuple(fc.constantFrom(...bodies), fc.array(wound, { minLength: 1, maxLength: 4 }))
  .map(([body, wounds]) =>
    wounds.reduce((bytes, { at, drop, put }) => {
      const from = at % (bytes.length + 1)
      return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + drop)])
    }, body),
  )

/** A continue token, or what was one before somebody touched it. */
export const token = fc.oneof(
  fc
    .record({ v: fc.constantFrom<unknown>('flotilla.dev/v1', 'meta.k8s.io/v1', 1), rv: json, start: json })
    .map((one) => Buffer.from(JSON.stringify(one)).toString('base64url')),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.tuple(fc.constant(TOKEN), fc.nat(60)).map(([text, at]) => text.slice(0, at) + text.slice(at + 1)),
  fc.string(),
)

const punctuation = fc.constantFrom(
  '=',
  '==',
  '!=',
  ',',
  ' ',
  '(',
  ')',
  ' in ',
  ' notin ',
  '!',
  '>',
  '<',
  '\\',
  '/',
  '.',
)
export const selector = fc
  .array(fc.oneof(word, punctuation, fc.constantFrom('a', 'b', 'metadata.name', 'spec.machineName')), { maxLength: 9 })
  .map((parts) => parts.join(''))

/** A path of any bytes that HTTP lets through, encoded or not. */
export const path = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '//',
        '..',
        '%2e',
        '%2f',
        '%00',
        '%ff',
        '%',
        ';',
        'api',
        'apis',
        'v1',
        'units',
        'watch',
        'namespaces',
      ),
      fc.stringMatching(/^[!-"$-~]{1,6}$/),
    ),
    { maxLength: 8 },
  )
  .map((parts) => `/${parts.join('')}`)
