/** The discovery service of the door: real etcd clusters begin on it. */
import * as assert from 'uvu/assert'
import { type NewMember, startMembers } from '../support/etcd-v2/new-members.ts'
import { type Product, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'
import { etcdctl } from './lock/contender.ts'

const test = suiteOf('the discovery service', { needs: ['etcd'] })
const FORMING_TIMEOUT_MS = 20_000
let server: Product

test.before(async () => {
  server = await startProduct(['server'])
})
test.after(async () => void (await server.stop()))

const url = () => server.endpoints.etcdV2 ?? ''

async function newToken(query: string): Promise<string> {
  const answer = await fetch(`${url()}/new${query}`)
  assert.is(answer.status, 200)
  return answer.text()
}

async function registered(token: string): Promise<number> {
  const { node } = (await (await fetch(token)).json()) as { node?: { nodes?: unknown[] } }
  return node?.nodes?.length ?? 0
}

test('a size that cannot be meant, and a token that nobody made, are refused', async () => {
  for (const size of ['0', '-1', 'x', '', '1001'])
    assert.is((await fetch(`${url()}/new?size=${size}`)).status, 400, `size "${size}"`)
  const unknown = `${url()}/${'0'.repeat(32)}`
  assert.is((await fetch(unknown)).status, 404)
  assert.is((await fetch(`${unknown}/me`, { method: 'PUT', body: new URLSearchParams({ value: 'x' }) })).status, 404)
  assert.match(await newToken(''), /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}$/)
})

test('three etcd become one cluster although the server dies in between; a fourth is told that it is full', async () => {
  const token = await newToken('?size=3')
  const members: NewMember[] = []
  try {
    members.push(...(await startMembers(['m0', 'm1'], token)))
    await until(async () => (await registered(token)) === 2, { what: 'two members registered' })
    const { host } = new URL(url())
    await server.admin.close()
    await server.process.crash()
    server = await startProduct(['server', '--legacy-listen', host], { dataDir: server.dataDir })
    assert.is(await registered(token), 2)
    members.push(...(await startMembers(['m2'], token)))
    const { clientUrl = '' } = members[0] ?? {}
    const isOne = async () => (await etcdctl(clientUrl, 'set', '/a', 'quorum')).stdout.trim() === 'quorum'
    await until(isOne, { what: 'a cluster that writes', timeoutMs: FORMING_TIMEOUT_MS })
    assert.is((await etcdctl(clientUrl, 'member', 'list')).stdout.trim().split('\n').length, 3)
    const [fourth] = await startMembers(['m3'], token)
    await fourth?.process.waitForLine(/cluster is full/)
    assert.is.not((await fourth?.process.exited)?.code, 0)
    assert.is(await registered(token), 3)
  } finally {
    await Promise.all(members.map(({ stop }) => stop()))
  }
})

test.run()
