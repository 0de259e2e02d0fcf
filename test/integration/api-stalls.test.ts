// heavy
/**
 * Requests made to keep the server busy: however large, deep or twisted, nobody else waits long for them. Client and
 * server share this process, so what is measured is more than the server's part.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as rest } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Api, type Ask, JSON_PATCH, MERGE, STRATEGIC, startApi, UNITS, unitBody } from './api-raw.ts'
import { APPLY, CONFIG_MAPS, POD, PODS, PROTOBUF, podBody, THERE } from './bad-requests/places.ts'

const test = suite<{ api: Api }>('requests that keep busy')

const LONGEST_STALL_MS = 200
/** A stall of the machine is not the server's: only one that comes every time is. */
const ATTEMPTS = 4
const RESOLUTION_MS = 2

test.before(async (context) => {
  context.api = await startApi()
  const { ask } = context.api
  assert.is((await ask('POST', UNITS, { body: unitBody('there.service') })).code, 201)
  assert.is((await ask('POST', CONFIG_MAPS, { body: { metadata: { name: 'map' } } })).code, 201)
  assert.is((await ask('POST', PODS, { body: podBody('pod') })).code, 201)
})

test.after(async ({ api }) => api[Symbol.asyncDispose]())

const MIB = 1024 * 1024
const YAML = 'application/yaml'
const MAP = `${CONFIG_MAPS}/map`
const times = (text: string, count: number) => text.repeat(count)
const many = (count: number, element: (at: number) => unknown) => Array.from({ length: count }, (_, at) => element(at))
const object = (count: number, value: unknown) =>
  Object.fromEntries(many(count, (at) => [`key-${at}`, value]) as [string, unknown][])
const aliases = (levels: number, wide: number) =>
  many(levels, (at) => `a${at}: &a${at} [${times(at === 0 ? 'x,' : `*a${at - 1},`, wide)}]`).join('\n')
const nested = (levels: number) =>
  `{"metadata":{"name":"a.service"},"spec":${times('{"a":', levels)}1${times('}', levels)}}`
const protobufOfDepth = (levels: number) => Buffer.from(`k8s\0${times('\n\x7f', levels)}`)

interface Busy {
  readonly ask: string
  readonly with: Ask
  readonly codes: readonly number[]
}

const busy = (ask: string, body: unknown, codes: readonly number[], type = 'application/json'): Busy => ({
  ask,
  codes,
  with: { type, body: Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body) },
})
const post = (body: unknown, codes: readonly number[] = [400], type?: string) =>
  busy(`POST ${UNITS}`, body, codes, type)

const REQUESTS: Readonly<Record<string, Busy>> = {
  '100 000 lists in each other': post(times('[', 100_000) + times(']', 100_000)),
  '100 000 objects in each other': post(nested(100_000)),
  'three megabytes of opening brackets': post(times('[', 3 * MIB)),
  'three megabytes of one text': post(unitBody('a.service', { content: times('x', 3 * MIB - 1_000) }), [422]),
  'three megabytes of escapes': post(
    `{"metadata":{"name":"a.service"},"spec":{"content":"${times('\\u0041', 500_000)}"}}`,
    [422],
  ),
  'three megabytes of numbers': post(`[${times('1,', 1_500_000)}1]`),
  'three megabytes of keys that are the same': post(`{${times('"a":1,', 500_000)}"a":1}`),
  'three megabytes of blanks': post(times(' ', 3 * MIB)),
  'more than three megabytes': post(times(' ', 4 * MIB), [413]),
  '20 000 unknown fields': post(unitBody('a.service', object(20_000, 1)), [201, 400, 409]),
  '20 000 labels': post(unitBody('b.service', {}, { labels: object(20_000, '-') }), [422]),
  '20 000 variables of one name': post(
    unitBody('c.service', { environment: many(20_000, () => ({ name: 'A' })) }),
    [422],
  ),
  'a number of a million digits': post(
    `{"metadata":{"name":"d.service"},"spec":{"replicas":${times('9', 1_000_000)}}}`,
    [400, 422],
  ),
  'YAML of 100 000 lists': post(times('[', 100_000) + times(']', 100_000), [400], YAML),
  'YAML of 2 000 lists in each other by lines': post(
    many(400, (at) => `${times(' ', at)}a:`).join('\n'),
    [400, 422],
    YAML,
  ),
  'a YAML bomb of nine levels': post(aliases(9, 9), [400], YAML),
  'a YAML bomb of two wide levels': post(aliases(3, 300), [400], YAML),
  'YAML of 20 000 keys': post(many(20_000, (at) => `k${at}: ${at}`).join('\n'), [400], YAML),
  'YAML as long as may be': post(many(2_900, (at) => `k${at}: ${at}`).join('\n'), [400, 422], YAML),
  'YAML of 80 000 tags': post(`a: ${times('!x ', 80_000)}`, [400], YAML),
  'YAML beyond its limit': post(times('a: b\n', 100_000), [413], YAML),
  'protobuf that goes down for ever': post(protobufOfDepth(100_000), [400], PROTOBUF),
  'protobuf of a megabyte of nothing': post(Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(MIB)]), [400], PROTOBUF),
  '10 000 operations': busy(
    `PATCH ${MAP}`,
    many(10_000, (at) => ({ op: 'add', path: `/data/k${at}`, value: 'x' })),
    [200, 422],
    JSON_PATCH,
  ),
  '10 000 operations at the head of a list': busy(
    `PATCH ${MAP}?dryRun=All`,
    many(10_000, (at) => ({
      op: 'add',
      path: at === 0 ? '/metadata/finalizers' : '/metadata/finalizers/0',
      value: at === 0 ? [] : 'x/y',
    })),
    [200, 422],
    JSON_PATCH,
  ),
  '1 000 copies that double': busy(
    `PATCH ${MAP}`,
    [
      { op: 'add', path: '/data', value: { a: 'x' } },
      ...many(1_000, (at) => ({ op: 'copy', from: '', path: `/data/c${at}` })),
    ],
    [422],
    JSON_PATCH,
  ),
  '15 000 items with a field that nobody knows': busy(
    `POST ${CONFIG_MAPS}?dryRun=All`,
    { metadata: { name: 'x', ownerReferences: many(15_000, (at) => ({ uid: `u${at}`, bogus: 1 })) } },
    [422],
  ),
  '40 000 fields that nobody knows': busy(
    `POST ${CONFIG_MAPS}?dryRun=All`,
    { ...object(40_000, 1), metadata: { name: 'x' } },
    [201],
  ),
  'a merge patch of 40 000 nothings': busy(`PATCH ${MAP}`, { data: object(40_000, null) }, [200], MERGE),
  'a merge patch as deep as may be': busy(
    `PATCH ${THERE}`,
    nested(120).replace('a.service', 'there.service'),
    [200, 422],
    MERGE,
  ),
  'a strategic patch of 10 000 containers': busy(
    `PATCH ${POD}`,
    { spec: { containers: many(10_000, (at) => ({ name: `c${at}` })) } },
    [422],
    STRATEGIC,
  ),
  'a strategic patch of 10 000 orders': busy(
    `PATCH ${POD}`,
    { spec: { '$setElementOrder/containers': many(10_000, (at) => ({ name: `c${at}` })) } },
    [200],
    STRATEGIC,
  ),
  'an apply of 5 000 keys': busy(
    `PATCH ${MAP}?fieldManager=a&force=true`,
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', data: object(5_000, '1') }),
    [200, 413],
    APPLY,
  ),
  'a selector of 16 000 characters': {
    ask: `GET ${UNITS}?labelSelector=${times('a,', 8_000)}a`,
    with: {},
    codes: [200],
  },
  'a selector that goes back and forth': {
    ask: `GET ${UNITS}?labelSelector=${encodeURIComponent(`a${times(' ', 8_000)}in${times(' ', 8_000)}x`)}`,
    with: {},
    codes: [400],
  },
  'a selector of 16 000 brackets': { ask: `GET ${UNITS}?labelSelector=${times('(', 16_000)}`, with: {}, codes: [400] },
  'a field selector of backslashes': {
    ask: `GET ${UNITS}?fieldSelector=${times('%5C', 16_000)}`,
    with: {},
    codes: [400],
  },
  'a continue token of 50 000 characters': {
    ask: `GET ${UNITS}?continue=${times('a', 50_000)}`,
    with: {},
    codes: [400],
  },
  'a path of 8 000 slashes': { ask: `GET ${UNITS}${times('/a', 8_000)}`, with: {}, codes: [400, 404] },
  '5 000 parameters': { ask: `GET ${UNITS}?${times('limit=1&', 5_000)}`, with: {}, codes: [200] },
}

/** The longest that a turn of the event loop took while the request was answered. */
async function stallOf(api: Api, { ask, with: sent, codes }: Busy): Promise<number> {
  const [method = '', path = ''] = ask.split(/ (.*)/s)
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  // The first turn only starts the measurement.
  await rest(5 * RESOLUTION_MS)
  const { code, text } = await api.ask(method, path, sent)
  await rest(5 * RESOLUTION_MS)
  delay.disable()
  assert.ok(codes.includes(code), `${code} ${text.slice(0, 300)}`)
  return delay.max / 1e6
}

for (const [title, request] of Object.entries(REQUESTS))
  test(`${title}: nobody waits ${LONGEST_STALL_MS} ms for it`, async ({ api }) => {
    const stalls: number[] = []
    while (stalls.length < ATTEMPTS && !(Math.min(...stalls) < LONGEST_STALL_MS))
      stalls.push(await stallOf(api, request))
    if (process.env.TEST_LOG) console.log(`${Math.min(...stalls).toFixed(0)} ms: ${title}`)
    assert.ok(Math.min(...stalls) < LONGEST_STALL_MS, stalls.map((ms) => `${ms.toFixed(0)} ms`).join(', '))
  })

test.run()
