/** Thousands of random requests with a fixed seed, so that what they find can be found again. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Answer, type Api, LEASES, startApi, UNITS, unitBody } from './api-raw.ts'
import { APPLY, CONFIG_MAPS, PROTOBUF, THERE } from './bad-requests/places.ts'
import { json, mutatedProtobuf, patch, path, request, selector, token } from './random/arbitraries.ts'

const test = suite<{ api: Api; builtIns: string }>('random input')
const MAP = `${CONFIG_MAPS}/map`

/** How many of each, and how long they may take where the machine is busy. */
const LIMITS = { seed: 10, endOnFailure: true, interruptAfterTimeLimit: 3_000 } as const

test.before(async (context) => {
  context.builtIns = builtIns()
  context.api = await startApi()
  const { ask } = context.api
  await ask('POST', UNITS, { body: unitBody('there.service') })
  await ask('POST', UNITS, { body: unitBody('web@.service', { replicas: 2 }) })
  await ask('POST', LEASES, { body: { metadata: { name: 'lease' } } })
  await ask('POST', CONFIG_MAPS, { body: { metadata: { name: 'map', labels: { x: 'y' } }, data: { a: '1' } } })
})

test.after(async ({ api }) => api[Symbol.asyncDispose]())

/** The server runs in this process: what it did to objects that everything inherits from shows here. */
function builtIns(): string {
  return [Object, Array, String, Function, Map, Buffer].map((one) => Reflect.ownKeys(one.prototype).map(String)).join()
}

function checkAnswer({ code, text, body }: Answer, what: string, method = 'GET'): void {
  const told = `${what} → ${code} ${text.slice(0, 300)}`
  assert.ok((code >= 200 && code < 500) || code === 504, told)
  assert.not.match(text, /\\n {4}at /)
  if (code < 400 || method === 'HEAD') return
  assert.is(body?.kind, 'Status', told)
  assert.equal([body.status, body.code], ['Failure', code], told)
  assert.ok(body.message !== '' && body.reason !== '', told)
}

async function all<T>(arbitrary: fc.Arbitrary<T>, runs: number, check: (value: T) => Promise<void>): Promise<void> {
  let count = 0
  const counted = async (value: T) => {
    count++
    await check(value)
  }
  await fc.assert(fc.asyncProperty(arbitrary, counted), { ...LIMITS, numRuns: runs })
  assert.ok(count > runs / 10, `${count} of ${runs}`)
  if (process.env.TEST_LOG) console.log(`${count} cases`)
}

/** A version of the future is waited for; that takes longer than this test has. */
const FUTURE = /resourceVersion=[1-9]\d*/

test('no request ends in a 500, a crash or a stack trace', ({ api }) =>
  all(request, 2_500, async ({ method, path, query, type, body, as }) => {
    const asked = `${path}?${new URLSearchParams([...query, ['dryRun', 'All']])}`.replace(FUTURE, 'resourceVersion=1')
    const headers = { accept: `application/json${as}` }
    const answer = await api.ask(method, asked, { type, headers, ...(method.startsWith('P') && { body }) })
    checkAnswer(answer, `${method} ${asked} ${body}`, method)
  }))

test('a patch that fails leaves the object as it was, whichever part of it failed', async ({ api }) => {
  let refused = 0
  await all(patch, 700, async ([type, body]) => {
    const before = await api.ask('GET', MAP)
    const query = `fieldManager=fuzz${type === APPLY ? '&force=true' : ''}`
    const answer = await api.ask('PATCH', `${MAP}?${query}`, { type, body })
    checkAnswer(answer, `${type} ${JSON.stringify(body)}`)
    if (answer.code < 400) return
    refused++
    assert.is((await api.ask('GET', MAP)).text, before.text, `after ${type} ${JSON.stringify(body)}`)
  })
  assert.ok(refused > 50, `${refused} refused`)
})

test('protobuf that was damaged on its way is read or refused', ({ api }) =>
  all(mutatedProtobuf, 1_000, async (body) => {
    checkAnswer(await api.ask('POST', `${CONFIG_MAPS}?dryRun=All`, { type: PROTOBUF, body }), body.toString('base64'))
  }))

test('bytes of any sort are refused as JSON and as YAML', ({ api }) =>
  all(
    fc.tuple(fc.uint8Array({ maxLength: 80 }), fc.constantFrom('application/json', 'application/yaml')),
    800,
    async ([bytes, type]) => {
      const body = Buffer.from(bytes)
      checkAnswer(await api.ask('POST', `${UNITS}?dryRun=All`, { type, body }), `${type} ${body.toString('base64')}`)
    },
  ))

test('continue tokens that somebody made up are refused, or continue', ({ api }) =>
  all(token, 800, async (text) => {
    checkAnswer(await api.ask('GET', `${UNITS}?${new URLSearchParams({ limit: '1', continue: text })}`), text)
  }))

test('selectors of any sort are understood or refused', ({ api }) =>
  all(fc.tuple(selector, fc.constantFrom('labelSelector', 'fieldSelector')), 1_000, async ([text, parameter]) => {
    checkAnswer(await api.ask('GET', `${UNITS}?${new URLSearchParams([[parameter, text]])}`), `${parameter} ${text}`)
  }))

test('paths of any sort lead somewhere or nowhere', ({ api }) =>
  all(fc.tuple(path, fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH')), 1_000, async ([text, method]) => {
    const answer = await api.ask(method, text, { ...(method !== 'GET' && { body: {} }) })
    if (answer.headers['content-type']?.startsWith('application/json')) checkAnswer(answer, `${method} ${text}`)
    else assert.ok(answer.code < 500, `${method} ${text} → ${answer.code}`)
  }))

test('objects of any sort in any field are stored as they are, or refused', ({ api }) =>
  all(json, 800, async (value) => {
    const body = { metadata: { name: 'any.service', annotations: value }, spec: value, status: value }
    checkAnswer(await api.ask('POST', `${UNITS}?dryRun=All`, { body }), JSON.stringify(value))
  }))

test('after all of that nothing inherits anything new, and the server goes on', async ({ api, builtIns: before }) => {
  assert.is(builtIns(), before)
  assert.is((await api.ask('GET', THERE)).code, 200)
})

test.run()
