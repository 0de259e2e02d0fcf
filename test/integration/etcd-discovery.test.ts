import * as assert from 'uvu/assert'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { startMembers } from '../support/etcd-v2/new-members.ts'
import { runProcess } from '../support/process.ts'
import { BUNDLE } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'
import { etcdctl } from './lock/contender.ts'

const test = suiteOf("flotilla discovery and etcd's own discovery", { needs: ['etcd'] })
const START_TIMEOUT_MS = 20_000
let registry: EtcdMember

test.before(async () => {
  registry = await startEtcd({ args: ['--enable-v2'] })
})
test.after(async () => registry[Symbol.asyncDispose]())

const discovery = (...args: string[]) => runProcess([process.execPath, BUNDLE, 'discovery', 'new', ...args])

test('three etcd become one cluster by a URL that flotilla made', async () => {
  const { stdout, code } = await discovery('--size', '3', '--endpoint', registry.url)
  assert.is(code, 0)
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/v2\/keys\/_etcd\/registry\/[0-9a-f]{32}\n$/)
  const members = await startMembers(['m0', 'm1', 'm2'], stdout.trim())
  try {
    const { clientUrl } = members[0] ?? { clientUrl: '' }
    const isOne = async () => (await etcdctl(clientUrl, 'member', 'list')).stdout.trim().split('\n').length === 3
    await until(isOne, { what: 'three members', timeoutMs: START_TIMEOUT_MS })
    assert.is((await etcdctl(clientUrl, 'set', '/a', 'quorum')).stdout.trim(), 'quorum')
  } finally {
    await Promise.all(members.map(({ stop }) => stop()))
  }
})

test('what cannot be meant, or reached, is said in a sentence', async () => {
  const none = await discovery('--size', '0', '--endpoint', registry.url)
  assert.is(none.code, 1)
  assert.match(none.stderr, /--size 0: give a whole number/)
  const nobody = await discovery('--size', '3', '--endpoint', 'http://127.0.0.1:1')
  assert.is(nobody.code, 1)
  assert.match(nobody.stderr, /http:\/\/127\.0\.0\.1:1 does not answer: ECONNREFUSED/)
})

test.run()
