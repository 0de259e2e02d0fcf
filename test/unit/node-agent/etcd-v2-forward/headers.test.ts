import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { requestHeaders, responseHeaders } from '../../../../node-agent/etcd-v2-forward/headers.ts'

const test = suite('headers through the etcd v2 listener')

test("etcd's own go through as they are spelled", () => {
  const headers = ['Content-Type', 'application/json', 'X-Etcd-Index', '7', 'X-Raft-Term', '2']
  assert.equal(responseHeaders(headers), headers)
})

test('what is about one connection stays on it', () => {
  const raw = [
    'Connection',
    'keep-alive, X-Hop',
    'Keep-Alive',
    'timeout=5',
    'Transfer-Encoding',
    'chunked',
    'x-hop',
    '1',
  ]
  assert.equal(responseHeaders([...raw, 'X-Etcd-Index', '7']), ['X-Etcd-Index', '7'])
})

test('no client takes the length out of a message, or says whom it comes from', () => {
  const raw = ['Host', 'a:4001', 'Connection', 'content-length, host', 'Content-Length', '5', 'Expect', '100-continue']
  const said = ['Impersonate-User', 'admin', 'X-Forwarded-For', '10.0.0.1', 'X-Remote-User', 'admin', '__proto__', 'x']
  const headers = requestHeaders([...raw, ...said])
  assert.equal(Object.entries(headers), [
    ['host', ['a:4001']],
    ['content-length', ['5']],
    ['__proto__', ['x']],
  ])
})

test('a name that comes twice keeps both values', () => {
  assert.equal(requestHeaders(['Accept', 'a', 'accept', 'b']).accept, ['a', 'b'])
})

test.run()
