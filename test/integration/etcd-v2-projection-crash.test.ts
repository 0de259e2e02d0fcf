/** The product with Subnets in both forms: as people see them, and through kill -9. */
import * as assert from 'uvu/assert'
import { etcdV2Client } from '../support/etcd-v2/json-client.ts'
import { type Door, keysAsText, objectsAsText, rival } from '../support/etcd-v2/subnet-rivals.ts'
import { kubectls } from '../support/kubectl.ts'
import { runProcess } from '../support/process.ts'
import { type Product, startProduct } from '../support/product.ts'
import { commandPath, suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suiteOf('Subnets as etcd v2 keys, in the product', { needs: ['etcd'] })
const KILLS = 2
const MANIFEST = `apiVersion: flotilla.dev/v1
kind: Subnet
metadata: {name: flannel}
spec: {cidr: 10.1.0.0/16, prefixLength: 24, backend: {type: host-gw}}
---
apiVersion: flotilla.dev/v1
kind: Subnet
metadata: {name: db}
spec: {cidr: 10.1.77.0/24, parent: flannel, publicIP: 192.0.2.77, reservation: true}
`
const dataDir = tempDir()
let product: Product

const start = () => startProduct(['server'], { dataDir })
test.before(async () => {
  product = await start()
})
test.after(async () => void (await product.stop()))

function door(): Door {
  return { admin: product.admin, keys: etcdV2Client(product.endpoints.etcdV2 ?? '') }
}

async function etcdctl(...args: readonly string[]): Promise<string> {
  const argv = [commandPath('etcdctl') ?? 'etcdctl', '--endpoints', product.endpoints.etcdV2 ?? '', ...args]
  const { stdout, stderr } = await runProcess(argv, { env: { ETCDCTL_API: '2', ETCDCTL_ENDPOINTS: undefined } })
  return stdout + stderr
}

test('what kubectl applies etcdctl reads, and what etcdctl sets kubectl gets', async () => {
  const [kubectl] = await kubectls()
  const { kubeconfig } = product
  const run = async (...args: string[]) => (await kubectl?.run(args, { kubeconfig, input: MANIFEST }))?.stdout ?? ''
  assert.match(await run('apply', '-f', '-'), /subnet\.flotilla\.dev\/db created/)
  const config = '{"Network":"10.1.0.0/16","SubnetLen":24,"Backend":{"Type":"host-gw"}}\n'
  await until(async () => (await etcdctl('get', '/coreos.com/network/config')) === config, {
    what: 'the configuration',
  })
  const list = () => etcdctl('ls', '--sort', '-r', '-p', '/coreos.com/network')
  const expected =
    '/coreos.com/network/config\n/coreos.com/network/subnets/\n/coreos.com/network/subnets/10.1.77.0-24\n'
  await until(async () => (await list()) === expected, { what: 'the keys' })
  const key = '/coreos.com/network/subnets/10.1.78.0-24'
  await etcdctl('set', '--ttl', '100', key, '{"PublicIP":"192.0.2.78","BackendType":"host-gw"}')
  assert.match(await run('get', 'subnets'), /\n10\.1\.78\.0-24 +10\.1\.78\.0\/24/)
  const refused = await etcdctl('set', key, '{"PublicIP":"me"}')
  assert.match(refused, /^Error: {2}209: Invalid field \(PublicIP: "me" is not an IPv4 address\) \[\d+\]/)
  assert.match(await run('delete', 'subnet', '10.1.78.0-24'), /deleted/)
  await until(async () => (await list()) === expected, { what: 'the key to go' })
})

test('after kill -9 at any moment keys and objects agree, and no index is told twice', async () => {
  let index = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    const end = new AbortController()
    const rivals = [1, 2, 3, 4].map((at) => rival(door(), kill * 10 + at, end.signal))
    const { keys } = door()
    const reached = index + 15 * kill
    await until(
      async () => {
        index = await keys.index()
        return index >= reached
      },
      { what: 'writes under way' },
    )
    await product.process.crash()
    end.abort()
    await Promise.all(rivals)
    await product.stop()
    product = await start()
    const after = door()
    assert.equal(await keysAsText(after.keys), await objectsAsText(after.admin), `kill ${kill}`)
    assert.ok((await after.keys.index()) >= index)
  }
})

test.run()
