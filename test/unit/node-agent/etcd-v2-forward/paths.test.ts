import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isForwarded } from '../../../../node-agent/etcd-v2-forward/paths.ts'

const test = suite('what goes through a plain etcd v2 listener')

const THROUGH = [
  ...['/v2/keys', '/v2/keys/', '/v2/keys/a?wait=true', '/v2/members', '/v2/stats/self', '/v2', '/version', '/health'],
  ...['/v2/keys/a%2Fb', '/v2/keys/%zz', '/v2/keys//a', '/v2/keys/a/../b', '/v2/keys/%00', '/v2/keys/..a', '/version?x'],
]
const KEPT_OUT = [
  ...['/new/x', '/newer', '/0123456789abcdef0123456789abcdef/%2e%2e/api', '/0123456789abcdef0123456789abcdef/../api'],
  ...['/', '/api/v1/secrets', '/apis', '/v3/kv/put', '/v2keys', '/metrics', '/debug/vars', '/healthz', '/version/'],
  ...['/v2/../api/v1/secrets', '/v2/%2e%2e/api/v1/secrets', '/v2/..%2Fapi/v1/secrets', '//v2/keys', '/./v2/keys'],
  ...['http://127.0.0.1:4001/v2/keys', '*', '', '/v2/..', '/v2/keys/../../api', '/%76%32/keys'],
]

for (const target of THROUGH) test(`${target} goes through`, () => assert.ok(isForwarded(target)))
for (const target of KEPT_OUT) test(`"${target}" does not`, () => assert.not(isForwarded(target)))

test.run()
