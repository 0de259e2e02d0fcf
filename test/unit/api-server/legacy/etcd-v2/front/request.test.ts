import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createReader, type PlainRequest } from '../../../../../../api-server/legacy/etcd-v2/front/request.ts'
import { seeded } from '../../../../../support/random.ts'

const test = suite('plain requests')

const FORM = 'application/x-www-form-urlencoded'
const LINE = 'GET /v2/keys/a HTTP/1.1\r\n'
const PUT = `PUT /v2/keys/a?x HTTP/1.1\r\nHost: x\r\ncontent-type:${FORM} \r\nCONTENT-LENGTH: 7\r\nAccept: \xe9\r\n\r\nvalue=\xff`

function read(text: string, reader = createReader()): { request: PlainRequest; end: number } | undefined {
  const bytes = Buffer.from(text, 'latin1')
  return reader(bytes, bytes.toString('latin1'), 0)
}

test('a whole one is taken as it came', () => {
  const request = { method: 'PUT', url: '/v2/keys/a?x', contentType: FORM, body: 'value=\xff' }
  assert.equal(read(PUT), { request, end: PUT.length })
  assert.equal(read(`${PUT}GET /`), { request, end: PUT.length })
})

test('one that is cut anywhere is not taken', () => {
  for (let length = 0; length < PUT.length; length += 1) assert.is(read(PUT.slice(0, length)), undefined, `${length}`)
})

const NOT_PLAIN: Readonly<Record<string, string>> = {
  'no Host': `${LINE}Accept: x\r\n\r\n`,
  'no header at all': `${LINE}\r\n`,
  'two Hosts': `${LINE}Host: x\r\nhost: x\r\n\r\n`,
  'two lengths, though the same':
    'PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
  'a list of lengths': 'PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 0\r\n\r\n',
  'a signed length': 'PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n',
  'a hexadecimal length': 'PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0x0\r\n\r\n',
  chunks: 'PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'chunks and a length': 'PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a coding in disguise': `${LINE}Host: x\r\nTransfer-Encoding : chunked\r\n\r\n`,
  'a folded header': `${LINE}Host: x\r\n Transfer-Encoding: chunked\r\n\r\n`,
  'a bare line feed': `${LINE}Host: x\nTransfer-Encoding: chunked\r\n\r\n`,
  'a bare carriage return': `${LINE}Host: x\rTransfer-Encoding: chunked\r\n\r\n`,
  'a null byte': `${LINE}Host: x\0\r\n\r\n`,
  'a header without a name': `${LINE}Host: x\r\n: y\r\n\r\n`,
  'an expectation': 'PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n',
  'an upgrade': `${LINE}Host: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n`,
  'a goodbye': `${LINE}Host: x\r\nConnection: close\r\n\r\n`,
  'a goodbye among others': `${LINE}Host: x\r\nConnection: keep-alive, close\r\n\r\n`,
  'a body of a GET': `${LINE}Host: x\r\nContent-Length: 1\r\n\r\nx`,
  'another method': 'HEAD /v2/keys/a HTTP/1.1\r\nHost: x\r\n\r\n',
  'an older protocol': 'GET /v2/keys/a HTTP/1.0\r\nHost: x\r\n\r\n',
  'the next protocol': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a whole URL': 'GET http://x/v2/keys/a HTTP/1.1\r\nHost: x\r\n\r\n',
  'two spaces': 'GET  /v2/keys/a HTTP/1.1\r\nHost: x\r\n\r\n',
  'an empty line before': `\r\n${LINE}Host: x\r\n\r\n`,
  'a byte beyond ASCII in the path': 'GET /v2/keys/\xe9 HTTP/1.1\r\nHost: x\r\n\r\n',
  'a fragment': 'GET /v2/keys/a#b HTTP/1.1\r\nHost: x\r\n\r\n',
}

for (const [name, text] of Object.entries(NOT_PLAIN))
  test(`${name}: node:http's`, () => {
    assert.is(read(text), undefined)
    const reader = createReader()
    read(PUT, reader)
    assert.is(read(text, reader), undefined, 'nor after one that was taken')
    assert.is(read(text, reader), undefined, 'nor when it is repeated')
  })

test('headers are remembered, yet never for others', () => {
  const reader = createReader()
  const put = (length: number, body: string) =>
    read(`PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`, reader)?.request.body
  assert.is(put(1, 'a'), 'a')
  assert.is(put(2, 'bc'), 'bc')
  assert.is(put(2, 'd'), undefined)
  assert.is(put(1, 'de'), 'd')
})

/** What node:http makes of the bytes: the whole requests, each with its body. */
async function asNodeReads(bytes: Buffer): Promise<string[]> {
  const seen: string[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    const { method = '', url = '', headers } = request
    const tell = () =>
      seen.push(JSON.stringify([method, url, headers['content-type'] ?? '', Buffer.concat(chunks).toString('latin1')]))
    request.on('end', () => {
      tell()
      response.end()
    })
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  server.emit('connection', socket)
  socket.push(bytes)
  for (let turns = 0; turns < 6; turns += 1) await turn()
  socket.destroy()
  return seen
}

const PIECES = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  '\0',
  ',',
  '0',
  '7',
  '\xff',
  'chunked',
  'Content-Length: 3\r\n',
  '\r\n\r\n',
]
const HEADS = [
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Host: y\r\n',
  'X: y\r\n',
  'Expect: 100-continue\r\n',
]

test('whatever is taken, node:http reads the same', async () => {
  const random = seeded(20_261_121)
  let taken = 0
  for (let round = 0; round < 1_500; round += 1) {
    let text = PUT
    for (let changes = 1 + random.below(2); changes > 0; changes -= 1) {
      const at = random.below(text.length)
      text = text.slice(0, at) + random.pick([...PIECES, ...HEADS]) + text.slice(at + random.below(3))
    }
    const got = read(text)
    if (!got) continue
    taken += 1
    const { method, url, contentType = '', body } = got.request
    const seen = await asNodeReads(Buffer.from(text.slice(0, got.end), 'latin1'))
    assert.equal(seen, [JSON.stringify([method, url, contentType, body])], JSON.stringify(text))
  }
  assert.ok(taken > 100, `${taken} taken`)
})

test.run()
