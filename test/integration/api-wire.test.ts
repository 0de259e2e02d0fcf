/**
 * What comes down the wire in shapes that proxies and servers have read differently before: each is refused as a whole, or
 * read in one way only. A second request hidden in the first is never carried out.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../support/within.ts'
import { type Api, startApi } from './api-raw.ts'

const test = suite<{ api: Api }>('on the wire')

const PATH = '/api/v1/namespaces/default/configmaps'
const BODY = '{"metadata":{"name":"smuggled"}}'
const HIDDEN = `POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`
const LAST = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'

test.before(async (context) => {
  context.api = await startApi()
})
test.after(async ({ api }) => api[Symbol.asyncDispose]())

/** All that is answered until the server closes the connection. */
async function spoken(api: Api, ...texts: readonly string[]): Promise<string> {
  const socket = await api.connect()
  let heard = ''
  socket.setEncoding('latin1').on('data', (piece: string) => {
    heard += piece
  })
  socket.on('error', () => undefined)
  for (const text of texts) socket.write(text, 'latin1')
  await within(10_000, new Promise((resolve) => socket.on('close', resolve)), 'the connection’s end')
  return heard
}

const codesIn = (heard: string) => [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code))

const post = (head: string, body: string) => `POST ${PATH}?dryRun=All HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n${body}`
const chunked = (body: string, head = 'transfer-encoding: chunked') => post(head, body)
const get = (head: string) => `GET /livez HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`

/** Refused at the first byte that is wrong: one answer, and the connection is closed. */
const REFUSED: Readonly<Record<string, readonly [text: string, code: number]>> = {
  'two equal lengths': [post('content-length: 4\r\ncontent-length: 4', 'null'), 400],
  'two lengths, the second hides a request': [
    post(`content-length: 0\r\ncontent-length: ${HIDDEN.length}`, HIDDEN),
    400,
  ],
  'lengths in a list': [post('content-length: 4, 4', 'null'), 400],
  'a length with a sign': [post('content-length: +4', 'null'), 400],
  'a length below zero': [post('content-length: -1', 'null'), 400],
  'a hexadecimal length': [post('content-length: 0x4', 'null'), 400],
  'a length beyond all bounds': [post('content-length: 99999999999999999999', 'null'), 400],
  'chunks and a length': [chunked(`0\r\n\r\n${HIDDEN}`, 'transfer-encoding: chunked\r\ncontent-length: 5'), 400],
  'a length and chunks': [chunked(`0\r\n\r\n${HIDDEN}`, 'content-length: 5\r\ntransfer-encoding: chunked'), 400],
  'chunks that are not the last coding': [chunked('0\r\n\r\n', 'transfer-encoding: chunked, identity'), 400],
  'a coding that is none': [chunked('0\r\n\r\n', 'transfer-encoding: xchunked'), 400],
  'two codings, one a lie': [chunked('0\r\n\r\n', 'transfer-encoding: chunked\r\ntransfer-encoding: identity'), 400],
  'a vertical tab before the coding': [chunked('0\r\n\r\n', 'transfer-encoding: \x0bchunked'), 400],
  'a space before the colon': [chunked('0\r\n\r\n', 'transfer-encoding : chunked'), 400],
  'a chunk size with a sign': [chunked('+4\r\nnull\r\n0\r\n\r\n'), 400],
  'a chunk size of 0x': [chunked('0x4\r\nnull\r\n0\r\n\r\n'), 400],
  'a chunk size beyond 64 bits': [chunked('fffffffffffffffff\r\nnull\r\n0\r\n\r\n'), 400],
  'a chunk longer than it says': [chunked('4\r\nnullnull\r\n0\r\n\r\n'), 400],
  'a trailer that is a length': [chunked('4\r\nnull\r\n0\r\ncontent-length: 100\r\n\r\n'), 400],
  'a chunk that ends with a bare line feed': [chunked('4\nnull\n0\n\n'), 400],
  'a folded header': [get('x: a\r\n b'), 400],
  'a folded coding': [chunked('0\r\n\r\n', 'transfer-encoding:\r\n chunked'), 400],
  'a header that ends with a bare line feed': ['GET /livez HTTP/1.1\r\nhost: x\nx: y\r\n\r\n', 400],
  'a bare carriage return in a header': [get('x: a\rb: c'), 400],
  'a null byte in a header': [get('x: a\0b'), 400],
  'a header without a name': [get(': a'), 400],
  'a header name with a space': [get('a b: c'), 400],
  'a method that is none': ['G@T /livez HTTP/1.1\r\nhost: x\r\n\r\n', 400],
  'a version that is none': ['GET /livez HTTP/9.9\r\nhost: x\r\n\r\n', 400],
  'a space in the path': ['GET /live z HTTP/1.1\r\nhost: x\r\n\r\n', 400],
  'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'a head of 100 000 bytes': [get(`x: ${'y'.repeat(100_000)}`), 431],
  'twenty thousand headers': [get(Array.from({ length: 20_000 }, (_, at) => `x${at}: y`).join('\r\n')), 431],
  'a path of 100 000 bytes': [`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431],
}

for (const [title, [text, code]] of Object.entries(REFUSED))
  test(`${title} → ${code}, and nothing behind it is read`, async ({ api }) => {
    const heard = await spoken(api, text + LAST)
    assert.equal(codesIn(heard), [code], heard.slice(0, 500))
    assert.is(JSON.parse(heard.split('\r\n\r\n')[1] ?? '').kind, 'Status')
    assert.is((await api.ask('GET', `${PATH}/smuggled`)).code, 404)
  })

/** Read in one way by everybody: what is behind it is a request of its own. */
const READ: Readonly<Record<string, readonly [text: string, code: number]>> = {
  'chunks with extensions': [chunked('4;a=b;c="d"\r\nnull\r\n0;e\r\n\r\n'), 400],
  'chunks with leading zeros': [chunked('0004\r\nnull\r\n000\r\n\r\n'), 400],
  'a length with leading zeros': [post('content-length: 0004', 'null'), 400],
  'empty lines before a request': [`\r\n\r\n${get('x: y')}`, 200],
  'a whole address for a path': ['GET https://elsewhere/livez HTTP/1.1\r\nhost: x\r\n\r\n', 404],
  'three thousand headers': [get(Array.from({ length: 3_000 }, (_, at) => `x${at}: y`).join('\r\n')), 200],
}

for (const [title, [text, code]] of Object.entries(READ))
  test(`${title} → ${code}, and the next request is answered`, async ({ api }) => {
    const heard = await spoken(api, text + LAST)
    assert.equal(codesIn(heard), [code, 200], heard.slice(0, 500))
  })

test('no host → 400', async ({ api }) => {
  assert.equal(codesIn(await spoken(api, 'GET /livez HTTP/1.1\r\n\r\n')), [400])
})

test('chunk extensions without end are refused', async ({ api }) => {
  const codes = codesIn(await spoken(api, chunked(`4;${'x'.repeat(100_000)}\r\nnull\r\n0\r\n\r\n`)))
  assert.equal(codes, [400])
})

test('the last of three thousand headers counts like the first', async ({ api }) => {
  const many = Array.from({ length: 3_000 }, (_, at) => `x${at}: y`).join('\r\n')
  const heard = await spoken(
    api,
    `GET ${PATH} HTTP/1.1\r\nhost: x\r\n${many}\r\nimpersonate-user: nobody\r\nconnection: close\r\n\r\n`,
  )
  assert.equal(codesIn(heard), [403])
})

test('requests in one piece are answered in their order, the slow and the quick', async ({ api }) => {
  const names = Array.from({ length: 50 }, (_, at) => `p${at}`)
  const ask = (name: string): string[] => {
    const body = JSON.stringify({ metadata: { name } })
    return [
      `POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      `GET ${PATH}/none-${name} HTTP/1.1\r\nhost: x\r\n\r\n`,
    ]
  }
  const heard = await spoken(api, names.flatMap(ask).join('') + LAST)
  assert.equal(codesIn(heard), [...names.flatMap(() => [201, 404]), 200])
  const named = [...heard.matchAll(/"name":"((none-)?p\d+)"/g)].map(([, name]) => name)
  assert.equal(
    named,
    names.flatMap((name) => [name, `none-${name}`]),
  )
})

test('requests in pieces of one byte are read as what they are', async ({ api }) => {
  const text = `${post(`content-length: ${BODY.length}`, BODY)}${LAST}`
  assert.equal(codesIn(await spoken(api, ...text)), [201, 200])
})

test('at the end the server goes on', async ({ api }) => {
  assert.is((await api.ask('GET', '/livez')).code, 200)
})

test.run()
