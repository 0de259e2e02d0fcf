import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseTarget } from '../../../../../api-server/legacy/etcd-v2/target.ts'

const test = suite('paths as the mux of Go takes them')

const TARGETS: readonly (readonly [url: string, taken: ReturnType<typeof parseTarget>])[] = [
  ['/v2/keys/a?x=1', { path: '/v2/keys/a', query: 'x=1' }],
  ['/v2/keys/a%2Fb/', { path: '/v2/keys/a/b/', query: '' }],
  ['/v2/keys/a+b', { path: '/v2/keys/a+b', query: '' }],
  ['/v2//keys', { moved: '/v2/keys' }],
  ['/v2/keys/%2e%2e/a%20b?q=%2F', { moved: '/v2/a%20b?q=%2F' }],
  ['http://host:4001/v2/keys/a', { path: '/v2/keys/a', query: '' }],
  ['/v2/keys/%zz', undefined],
  ['/v2/keys/%', undefined],
]

for (const [url, taken] of TARGETS) test(url, () => assert.equal(parseTarget(url), taken))

test.run()
