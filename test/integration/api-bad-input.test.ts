/**
 * What is wrong with a connection, a certificate or the form of a request, beside the table of bad requests: its sender
 * is told so in a Kubernetes Status, and the server goes on.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openPki } from '../../api-server/auth/pki.ts'
import { tempDir } from '../support/temp-dir.ts'
import { within } from '../support/within.ts'
import { type Answer, type Api, EVENTS, MACHINES, MERGE, STRATEGIC, startApi, UNITS, unitBody } from './api-raw.ts'
import { THERE } from './bad-requests/places.ts'

const test = suite<{ api: Api }>('bad input')

test.before(async (context) => {
  context.api = await startApi()
  const { ask } = context.api
  assert.is((await ask('POST', UNITS, { body: unitBody('there.service') })).code, 201)
})

test.after(async ({ api }) => api[Symbol.asyncDispose]())

function checkStatus(
  { code, headers, body, text }: Answer,
  expected: { readonly code: number; readonly reason: string; readonly says?: RegExp },
): void {
  assert.is(code, expected.code, text.slice(0, 500))
  assert.equal([body?.kind, body?.apiVersion, body?.status, body?.code], ['Status', 'v1', 'Failure', expected.code])
  assert.is(body.reason, expected.reason)
  if (expected.says) assert.match(body.message, expected.says)
  assert.is(headers['cache-control'], 'no-cache, private')
  assert.match(headers['content-type'] ?? '', /^application\/json/)
  assert.not.match(text, /\\n {4}at |\.ts:\d|node_modules|\/work\//, 'no stack trace')
  assert.ok(text.length < 60_000, 'an answer that can be read')
}

test('unknown and duplicate fields are warned of by default, and passed over in silence on request', async ({
  api,
}) => {
  const body = JSON.stringify(unitBody('new.service', { bogus: 1 })).replace('"kind"', '"kind":"Unit","kind"')
  const warned = await api.ask('POST', `${UNITS}?dryRun=All`, { body })
  assert.is(warned.code, 201)
  assert.is(warned.headers.warning, '299 - "duplicate field \\"kind\\"", 299 - "unknown field \\"spec.bogus\\""')
  const silent = await api.ask('POST', `${UNITS}?dryRun=All&fieldValidation=Ignore`, { body })
  assert.equal([silent.code, silent.headers.warning], [201, undefined])
})

test('ten thousand unknown fields, long ones too, make no head that a client would refuse', async ({ api }) => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`f${at}"\n\\é`, 1]))
  const long = { [`x${'y'.repeat(1_000_000)}`]: 1 }
  for (const spec of [many, long]) {
    const { code, headers } = await api.ask('POST', `${UNITS}?dryRun=All`, { body: unitBody('new.service', spec) })
    assert.is(code, 201)
    assert.ok((headers.warning?.length ?? 0) > 10 && (headers.warning?.length ?? 0) < 5_000)
  }
})

test('members that would reach the prototype of objects reach nothing', async ({ api }) => {
  const evil =
    '{"metadata":{"name":"evil.service","__proto__":{"polluted":1},"labels":{"__proto__":"x"}},"spec":{"content":"[Service]","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"__proto__":{"polluted":1}}'
  await api.ask('POST', `${UNITS}?dryRun=All`, { body: evil })
  for (const type of [MERGE, STRATEGIC])
    await api.ask('PATCH', `${THERE}?dryRun=All`, { type, body: evil.replace('evil.service', 'there.service') })
  assert.is(({} as { polluted?: number }).polluted, undefined)
})

test('a connection stays usable after a body that was refused unread', async ({ api }) => {
  const socket = await api.connect()
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  const size = 4 * 1024 * 1024
  socket.write(`POST ${UNITS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`)
  socket.write(Buffer.alloc(size, 0x20))
  socket.write('GET /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  await within(5_000, new Promise((resolve) => socket.on('close', resolve)), 'both answers')
  assert.match(heard, /^HTTP\/1\.1 413 /)
  assert.match(heard, /HTTP\/1\.1 200 OK[\s\S]*gitVersion/)
})

async function spoken(api: Api, text: string | Buffer): Promise<string> {
  const socket = await api.connect()
  let heard = ''
  socket.setEncoding('utf8').on('data', (piece: string) => {
    heard += piece
  })
  socket.on('error', () => undefined)
  socket.write(text)
  await within(10_000, new Promise((resolve) => socket.on('close', resolve)), 'the connection’s end')
  return heard
}

for (const [title, text, code] of [
  ['no HTTP at all', '\u0016\u0003\u0001 hello\r\n\r\n', 400],
  ['a head without end', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 431],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx', 400],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['chunks that are none', `POST ${UNITS} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`, 400],
] as const)
  test(`${title} is answered with ${code} and a Status`, async ({ api }) => {
    const heard = await spoken(api, text)
    assert.ok(heard.startsWith(`HTTP/1.1 ${code} `), heard.slice(0, 200))
    assert.match(heard, /cache-control: no-cache, private/)
    assert.is(JSON.parse(heard.split('\r\n\r\n')[1] ?? '').code, code)
  })

test('Expect: 100-continue is answered before the body is sent', async ({ api }) => {
  const body = JSON.stringify(unitBody('expected.service'))
  const socket = await api.connect()
  let heard = ''
  socket.setEncoding('utf8').on('data', (piece: string) => {
    heard += piece
    if (heard.endsWith('100 Continue\r\n\r\n')) socket.write(body)
  })
  socket.write(
    `POST ${UNITS}?dryRun=All HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
  )
  await within(5_000, new Promise((resolve) => socket.on('close', resolve)), 'the answer')
  assert.match(heard, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 Created/)
})

test('who shows no certificate is asked to: 401, and only health and version are open', async ({ api }) => {
  const as = api.anonymous
  for (const path of [UNITS, '/apis', '/openapi/v2', '/nothing', `${UNITS}?watch=1`])
    checkStatus(await api.ask('GET', path, { as }), { code: 401, reason: 'Unauthorized', says: /^Unauthorized$/ })
  checkStatus(await api.ask('POST', UNITS, { as, body: unitBody('new.service') }), {
    code: 401,
    reason: 'Unauthorized',
  })
  for (const path of ['/healthz', '/livez', '/readyz', '/version'])
    assert.is((await api.ask('GET', path, { as })).code, 200)
  assert.is((await api.ask('HEAD', '/healthz', { as })).code, 200)
})

test('a certificate of another authority, or one that has ended, is 401', async ({ api }) => {
  const foreign = await openPki(tempDir())
  const ended = await openPki(api.dataDir, { now: () => Date.now() - 400 * 24 * 3_600_000 })
  const pairs = [
    await foreign.adminCredentials(),
    await ended.issueClient({ commonName: 'admin', organizations: ['system:masters'], days: 30 }),
  ]
  for (const pair of pairs)
    checkStatus(await api.ask('GET', UNITS, { as: api.caller(pair) }), { code: 401, reason: 'Unauthorized' })
})

test('somebody the roles do not know is 403, in the words of Kubernetes', async ({ api }) => {
  const as = api.caller(await api.server.pki.issueClient({ commonName: 'alice' }))
  checkStatus(await api.ask('GET', UNITS, { as }), {
    code: 403,
    reason: 'Forbidden',
    says: /^units\.flotilla\.dev is forbidden: User "alice" cannot list resource "units" in API group "flotilla\.dev" at the cluster scope$/,
  })
  const events = await api.ask('GET', EVENTS, { as })
  checkStatus(events, {
    code: 403,
    reason: 'Forbidden',
    says: /^events is forbidden: User "alice" cannot list resource "events" in API group "" in the namespace "default"$/,
  })
  assert.equal(events.body.details, { kind: 'events' })
  const one = await api.ask('DELETE', THERE, { as })
  checkStatus(one, {
    code: 403,
    reason: 'Forbidden',
    says: /^units\.flotilla\.dev "there\.service" is forbidden: User "alice" cannot delete/,
  })
  assert.equal(one.body.details, { name: 'there.service', group: 'flotilla.dev', kind: 'units' })
  checkStatus(await api.ask('GET', '/nothing', { as }), {
    code: 403,
    reason: 'Forbidden',
    says: /^forbidden: User "alice" cannot get path "\/nothing"$/,
  })
})

test('who may not write is told before the body is read', async ({ api }) => {
  const { cert, key } = api.caller(await api.server.pki.issueClient({ commonName: 'alice' })).tls
  const { connect } = await import('node:tls')
  const socket = connect({ host: '127.0.0.1', port: api.port, ca: api.server.pki.caCertificate, cert, key })
  const answer = new Promise<string>((resolve) => socket.setEncoding('utf8').once('data', resolve))
  socket.write(
    `POST ${UNITS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{`,
  )
  assert.match(await within(3_000, answer, 'the refusal'), /^HTTP\/1\.1 403 /)
  socket.destroy()
})

test('a machine’s certificate counts while its key is listed, and for its own objects only', async ({ api }) => {
  const pair = await api.server.pki.issueClient({ commonName: 'machine:m1', organizations: ['flotilla:machines'] })
  const as = api.caller(pair)
  checkStatus(await api.ask('GET', UNITS, { as }), { code: 401, reason: 'Unauthorized' })
  for (const name of ['m1', 'm2'])
    assert.is((await api.ask('POST', MACHINES, { body: { metadata: { name } } })).code, 201)
  const listed = { status: { keyHashes: [pair.keyHash] } }
  assert.is((await api.ask('PATCH', `${MACHINES}/m1/status`, { type: MERGE, body: listed })).code, 200)
  assert.is((await api.ask('GET', UNITS, { as })).code, 200)
  const own = await api.ask('PATCH', `${MACHINES}/m1/status`, { as, type: MERGE, body: { status: { osVersion: '1' } } })
  assert.is(own.code, 200)
  checkStatus(
    await api.ask('PATCH', `${MACHINES}/m2/status`, { as, type: MERGE, body: { status: { osVersion: '1' } } }),
    { code: 403, reason: 'Forbidden', says: /User "machine:m1" cannot patch resource "machines\/status"/ },
  )
  checkStatus(
    await api.ask('PATCH', `${THERE}/status`, { as, type: MERGE, body: { status: { currentState: 'launched' } } }),
    { code: 403, reason: 'Forbidden', says: /User "machine:m1" cannot patch resource "units\/status"/ },
  )
  checkStatus(await api.ask('DELETE', THERE, { as }), { code: 403, reason: 'Forbidden' })
  assert.is(
    (await api.ask('PATCH', `${MACHINES}/m1/status`, { type: MERGE, body: { status: { keyHashes: [] } } })).code,
    200,
  )
  checkStatus(await api.ask('GET', UNITS, { as }), { code: 401, reason: 'Unauthorized' })
})

test.run()
