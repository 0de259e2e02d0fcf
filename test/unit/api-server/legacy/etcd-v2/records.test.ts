import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Entry } from '../../../../../api-server/legacy/etcd-v2/event.ts'
import {
  decodeHead,
  decodeLog,
  decodeNode,
  encodeHead,
  encodeLog,
  encodeNode,
  logKey,
  nodeKey,
} from '../../../../../api-server/legacy/etcd-v2/records.ts'
import { MAX_KEY_BYTES } from '../../../../../api-server/store/store.ts'

const test = suite('what the etcd v2 door keeps in the store')

const node = { key: '/a b\n\u00ff', value: '1 2\n3\u0000', created: 4, modified: 7, expires: undefined }

test('a node comes back as it went in: any bytes, with and without an end, file or directory', () => {
  for (const each of [
    node,
    { ...node, value: undefined },
    { ...node, value: '' },
    { ...node, expires: 1_700_000_000_123 },
  ])
    assert.equal(decodeNode(encodeNode(each)), each)
})

test("a transaction's events come back in order", () => {
  const entry: Entry = { index: 9, action: 'set', key: '/a\n', tookDir: false, refresh: true, body: '{"x":"é"}\n' }
  const record = {
    offset: 123,
    puts: [node, { ...node, key: '/dir', value: undefined }],
    entries: [entry, { ...entry, index: 10, action: 'delete', tookDir: true, refresh: false } as const],
  }
  assert.equal(decodeLog(encodeLog(record)), record)
})

test('the head comes back', () => {
  assert.equal(decodeHead(encodeHead({ index: 5, logged: 77 })), { index: 5, logged: 77 })
})

test('log keys sort as indices do', () => {
  const keys = [3, 15, 16, 255, 4_096, 2 ** 40].map(logKey)
  assert.equal(keys.toSorted(), keys)
})

test('any key has one of the store, and no two share one', () => {
  const keys = ['/', '/a', '/a/b', '/ ', '/\u00ff', `/${'k'.repeat(5_000)}`, `/${'k'.repeat(5_001)}`, '/h', '/k/a']
  const kept = keys.map(nodeKey)
  assert.is(new Set(kept).size, keys.length)
  for (const key of kept) assert.ok(Buffer.byteLength(key) <= MAX_KEY_BYTES)
})

test.run()
