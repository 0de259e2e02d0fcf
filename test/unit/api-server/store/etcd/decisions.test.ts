/** What the etcd backend decides without etcd: what may be sent twice, what an error means, where keys lie. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Endpoints } from '../../../../../api-server/store/etcd/endpoints.ts'
import { fateOf, refusalOf } from '../../../../../api-server/store/etcd/errors.ts'
import { countingFrom, decodeHead, encodeHead, layoutBelow } from '../../../../../api-server/store/etcd/layout.ts'
import { methodOf } from '../../../../../api-server/store/etcd/protocol.ts'
import { checkNotBack, sharedRead } from '../../../../../api-server/store/etcd/read-revision.ts'
import { guardsItself, writesForSure } from '../../../../../api-server/store/etcd/txn.ts'
import { InvalidTransactionError, type Transaction, UnavailableError } from '../../../../../api-server/store/store.ts'
import { failure, put, remove } from '../../../../suites/store-backend.ts'

const test = suite('etcd store: decisions')

const absent = { key: '/a', modified: 0n }
const present = { key: '/a', modified: 7n }

const TRANSACTIONS: Readonly<Record<string, readonly [Transaction, twice: boolean, writes: boolean]>> = {
  'a put without a compare': [{ compare: [], operations: [put('/a')] }, false, true],
  'a create': [{ compare: [absent], operations: [put('/a')] }, true, true],
  'an update': [{ compare: [present], operations: [put('/a')] }, true, true],
  'a guarded delete': [{ compare: [present], operations: [remove('/a')] }, true, true],
  'a delete without a compare': [{ compare: [], operations: [remove('/a')] }, false, false],
  'a delete of what must be absent': [{ compare: [absent], operations: [remove('/a')] }, false, false],
  'a put guarded by another key': [{ compare: [present], operations: [put('/b')] }, false, true],
  'two puts, one of them guarded': [{ compare: [present], operations: [put('/b'), put('/a')] }, true, true],
  nothing: [{ compare: [present], operations: [] }, false, false],
}

test('a transaction may be sent twice exactly where doing it breaks its own compares', () => {
  for (const [what, [transaction, twice]] of Object.entries(TRANSACTIONS))
    assert.is(guardsItself(transaction), twice, what)
})

test('the head is put only by what is certain to write something', () => {
  for (const [what, [transaction, , writes]] of Object.entries(TRANSACTIONS))
    assert.is(writesForSure(transaction), writes, what)
})

function etcdError(code: status, details: string): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() })
}

const FATES: readonly (readonly [status, string, string])[] = [
  [status.UNAVAILABLE, 'etcdserver: no leader', 'not tried'],
  [status.UNAVAILABLE, 'etcdserver: rpc not supported for learner', 'not tried'],
  [status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests', 'not tried'],
  [status.UNAVAILABLE, 'No connection established. Last error: connect ECONNREFUSED', 'not tried'],
  [status.UNAVAILABLE, 'etcdserver: request timed out', 'unknown'],
  [status.UNAVAILABLE, 'etcdserver: leader changed', 'unknown'],
  [status.UNAVAILABLE, 'Connection dropped', 'unknown'],
  [status.DEADLINE_EXCEEDED, 'Deadline exceeded', 'unknown'],
  [status.CANCELLED, 'Call cancelled', 'unknown'],
  [status.INTERNAL, 'Received RST_STREAM with code 2', 'unknown'],
  [status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded', 'refused'],
  [status.INVALID_ARGUMENT, 'etcdserver: request is too large', 'refused'],
  [status.UNAUTHENTICATED, 'etcdserver: invalid auth token', 'refused'],
]

test('what is known not to have been done is told apart from what nobody knows', () => {
  for (const [code, details, fate] of FATES) assert.is(fateOf(etcdError(code, details)), fate, details)
})

test('a refusal says what to do', () => {
  const said = (details: string) => refusalOf(etcdError(status.RESOURCE_EXHAUSTED, details))
  assert.instance(said('etcdserver: request is too large'), InvalidTransactionError)
  assert.instance(said('grpc: received message larger than max (3 vs. 2)'), InvalidTransactionError)
  assert.match(said('etcdserver: mvcc: database space exceeded').message, /out of space: .*defrag/)
  assert.match(said('etcdserver: user name is empty').message, 'check its certificate')
  assert.instance(said('etcdserver: corrupt cluster'), UnavailableError)
})

test('keys lie below the prefix and come back as they were; what is the store’s own does not', () => {
  const layout = layoutBelow('/flotilla')
  for (const key of ['/r/core/configmaps/default/a', '/é', '/\u{1f600}', 'x'])
    assert.is(layout.logical(layout.physical(key)), key)
  for (const own of [layout.head, layout.format, layout.offset, layout.restoring]) {
    assert.is(layout.logical(own), undefined)
    assert.ok(Buffer.compare(own, layout.all.key) >= 0 && Buffer.compare(own, layout.all.range_end) < 0)
    assert.ok(Buffer.compare(own, layout.data.key) < 0 || Buffer.compare(own, layout.data.range_end) >= 0)
  }
  for (const bad of ['', 'flotilla', '/flotilla/', '/a//b', '/a b']) assert.throws(() => layoutBelow(bad), 'no prefix')
})

test('revisions are shifted by the offset, and what lies before the store’s beginning is none of etcd’s', () => {
  const counting = countingFrom(100n)
  assert.is(counting.seam('7'), 107n)
  assert.equal([counting.etcd(107n), counting.etcd(100n), counting.etcd(3n)], [7n, 0n, 0n])
  assert.equal(decodeHead(encodeHead({ timeMs: 12, id: 'w.3' })), { timeMs: 12, id: 'w.3' })
})

test('who asks for the newest revision while a question is on its way waits for the next one, together', async () => {
  const answers: ((revision: bigint) => void)[] = []
  const ask = sharedRead(() => new Promise<bigint>((resolve) => answers.push(resolve)))
  const first = ask()
  await null
  const [second, third] = [ask(), ask()]
  answers[0]?.(1n)
  assert.is(await first, 1n)
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(answers.length, 2)
  answers[1]?.(2n)
  assert.equal(await Promise.all([second, third]), [2n, 2n])
})

test('a failed question is not everybody’s for ever', async () => {
  let asked = 0
  const ask = sharedRead(async () => {
    asked += 1
    if (asked === 1) throw new Error('lost')
    return asked
  })
  const both = [ask(), ask()]
  for (const each of both) assert.match(String(await failure(each)), 'lost')
  assert.is(await ask(), 2)
  assert.throws(() => checkNotBack(4n, 5n), 'restored from a backup or wiped')
})

test('answers of another etcd cluster are not taken', () => {
  const endpoints = new Endpoints({ urls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] })
  const answer = (cluster_id: string) => ({ header: { cluster_id, revision: '1' } })
  endpoints.check(endpoints.current, answer('14841639068965178418'))
  endpoints.check(endpoints.current, answer('14841639068965178418'))
  assert.throws(() => endpoints.check(endpoints.current, answer('14841639068965178419')), 'another etcd cluster')
  endpoints.close()
})

test('an endpoint that is none is told by its text', () => {
  for (const url of ['10.0.0.1:2379', 'https://a b:1', 'https://a', 'ftp://a:1', 'https://a:1/x'])
    assert.throws(() => new Endpoints({ urls: [url] }), 'give http(s)://HOST:PORT', url)
  assert.throws(() => new Endpoints({ urls: [] }), 'no etcd endpoint')
})

test('numbers of 64 bits come through whole, and fields keep the names that etcd gives them', () => {
  const { requestSerialize, requestDeserialize } = methodOf('KV.Range')
  const request = { key: Buffer.from('a'), range_end: Buffer.from('b'), revision: '9223372036854775807' }
  const back = requestDeserialize(requestSerialize(request)) as typeof request
  assert.equal([back.range_end.toString(), back.revision], ['b', '9223372036854775807'])
  const { responseSerialize, responseDeserialize } = methodOf('Cluster.MemberList')
  const member = { ID: '18446744073709551615', peerURLs: ['http://a'] }
  const answer = responseDeserialize(responseSerialize({ members: [member] })) as { members: (typeof member)[] }
  assert.is(answer.members[0]?.ID, '18446744073709551615')
})

test.run()
