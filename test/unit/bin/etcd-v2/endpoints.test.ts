import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { endpointsFromEnvironment, parseEndpoints } from '../../../../bin/etcd-v2/endpoints.ts'
import { pathOf } from '../../../../bin/etcd-v2/keys-client.ts'

const test = suite('endpoints of the etcd v2 API')

test('a list of URLs, with or without scheme, path and user', () => {
  assert.equal(parseEndpoints('a:4001, https://b:2379/ ,http://root:p%40ss@c/etcd/'), [
    { url: 'http://a:4001', authorization: undefined },
    { url: 'https://b:2379', authorization: undefined },
    { url: 'http://c/etcd', authorization: `Basic ${Buffer.from('root:p@ss').toString('base64')}` },
  ])
})

test('what is no endpoint is said in a sentence', () => {
  assert.throws(() => parseEndpoints('ftp://a'), /scheme must be http or https/)
  assert.throws(() => parseEndpoints('http://'), /"http:\/\/" is no endpoint/)
})

test("our own variable goes before etcdctl's", () => {
  const all = { FLOTILLA_ENDPOINTS: 'f', ETCDCTL_ENDPOINTS: 'e', ETCDCTL_ENDPOINT: 'old' }
  assert.is(endpointsFromEnvironment(all), 'f')
  assert.is(endpointsFromEnvironment({ ...all, FLOTILLA_ENDPOINTS: '' }), 'e')
  assert.is(endpointsFromEnvironment({ ETCDCTL_ENDPOINT: 'old' }), 'old')
  assert.is(endpointsFromEnvironment({}), undefined)
})

test('a key is a path, whatever it is made of', () => {
  assert.is(pathOf('/a b/c%/ü'), '/v2/keys/a%20b/c%25/%C3%BC')
  assert.is(pathOf('a//b/'), '/v2/keys/a/b')
})

test.run()
