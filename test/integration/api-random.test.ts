/** Thousands of random requests with a fixed seed, so that what they find can be found again. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Api,
  EVENTS,
  JSON_PATCH,
  LEASES,
  MERGE,
  NAMESPACES,
  STRATEGIC,
  startApi,
  UNITS,
  unitBody,
} from './api-raw.ts'
import { THERE, WEB } from './bad-requests/places.ts'

const test = suite<{ api: Api }>('random input')

test.before(async (context) => {
  context.api = await startApi()
  const { ask } = context.api
  await ask('POST', UNITS, { body: unitBody('there.service') })
  await ask('POST', UNITS, { body: unitBody('web@.service', { replicas: 2 }) })
  await ask('POST', LEASES, { body: { metadata: { name: 'lease' } } })
})

test.after(async ({ api }) => api[Symbol.asyncDispose]())

const FIELDS = ['metadata', 'spec', 'status', 'name', 'labels', 'content', 'replicas', 'finalizers', 'resourceVersion']
const PATCHES = ['op', 'path', 'value', 'from', 'add', 'test', 'copy', '/spec/content', '/metadata/labels', '$patch']
const ODD = ['__proto__', 'constructor', 'toString', '', '/', '~1', '\u0000', '\ud800', '1', '0', '-1', 'there.service']
const word = fc.constantFrom(...FIELDS, ...PATCHES, ...ODD)

const { json } = fc.letrec((tie) => ({
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

const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'),
  path: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: strange }),
  query,
  type: fc.constantFrom('application/json', 'application/yaml', MERGE, JSON_PATCH, STRATEGIC),
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

/** A version of the future is waited for; that takes longer than this test has. */
const FUTURE = /resourceVersion=[1-9]\d*/

test('no request ends in a 500, a crash or a stack trace', async ({ api }) => {
  let count = 0
  const check = fc.asyncProperty(request, async ({ method, path, query, type, body, as }) => {
    const asked = `${path}?${new URLSearchParams([...query, ['dryRun', 'All']])}`.replace(FUTURE, 'resourceVersion=1')
    const headers = { accept: `application/json${as}` }
    const { code, text } = await api.ask(method, asked, { type, headers, ...(method.startsWith('P') && { body }) })
    count++
    assert.ok((code >= 200 && code < 500) || code === 504, `${method} ${asked} ${body} → ${code} ${text.slice(0, 300)}`)
    assert.not.match(text, /\\n {4}at /)
  })
  await fc.assert(check, { numRuns: 4_000, seed: 10, interruptAfterTimeLimit: 6_000, endOnFailure: true })
  assert.ok(count > 500, `${count} requests`)
  assert.is((await api.ask('GET', THERE)).code, 200)
})

test.run()
