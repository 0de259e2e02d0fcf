// deadline: 60 s
/** One server with an etcd of its own: who gets in, joins that are cut off, space that runs out, flags that do not fit. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { openPki } from '../../api-server/auth/pki.ts'
import { type MemberFile, writeMemberFile } from '../../api-server/own-etcd/member-file.ts'
import { etcdCluster } from '../../api-server/store/etcd/cluster.ts'
import { ConfigMap } from '../../crds/index.ts'
import { interruptedJoins } from '../suites/interrupted-joins.ts'
import { memberNotes, startAgain, startFirst } from '../support/own-etcd.ts'
import { runProcess } from '../support/process.ts'
import { BUNDLE, flotilla, type Product } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'

const IN = { namespace: 'default' }
/** etcd takes no less than a few pages; this is soon full. */
const SMALL = ['--etcd-quota-bytes', String(2 * 1024 ** 2)]

let first: Product
const test = suiteOf('own etcd: edges', { needs: ['etcd'] })

test.before(async () => {
  first = await startFirst(SMALL)
})

test.after(async () => {
  await first?.stop()
})

const CREDENTIALS = '/flotilla.dev/control-plane/credentials'

test("a certificate of the same authority is not enough for etcd: only the servers' own lets in", async () => {
  const pki = await openPki(first.dataDir)
  const machine = await pki.issueClient({ commonName: 'machine:m1', organizations: ['flotilla:machines'] })
  const served = await pki.issueClient({ commonName: 'machine:m2', dnsNames: ['machine-m2', '127.0.0.1'] })
  const own = await pki.storedClient('etcd-client', {
    commonName: 'flotilla:etcd-client',
    dnsNames: ['client.etcd.flotilla'],
  })
  const { clientUrl } = memberNotes(first.dataDir)
  const askedAs = async ({ certificate, key }: { certificate: string; key: string }) => {
    const pem = (text: string) => Buffer.from(text)
    const cluster = etcdCluster([clientUrl], {
      ca: pem(pki.caCertificate),
      certificate: pem(certificate),
      key: pem(key),
    })
    return cluster.state(clientUrl, 2_000)
  }
  assert.ok((await askedAs(own)).leader)
  for (const stranger of [machine, served])
    assert.instance(await askedAs(stranger).catch((error: unknown) => error), Error)
})

test("the authority's key is given to administrators alone, and is in no log", async () => {
  const pki = await openPki(first.dataDir)
  const stranger = await pki.issueClient({ commonName: 'flotilla:controllers' })
  const url = `${first.endpoints.api}${CREDENTIALS}`
  const curl = (...args: string[]) =>
    runProcess(['curl', '-s', '--cacert', join(first.dataDir, 'pki/ca.crt'), ...args, url])
  const folder = tempDir()
  writeFileSync(join(folder, 'crt'), stranger.certificate)
  writeFileSync(join(folder, 'key'), stranger.key)
  const pair = (dir: string, crt: string, key: string) => ['--cert', join(dir, crt), '--key', join(dir, key)]
  const admin = pair(join(first.dataDir, 'pki'), 'admin.crt', 'admin.key')
  assert.is(JSON.parse((await curl()).stdout).code, 401)
  assert.is(JSON.parse((await curl(...pair(folder, 'crt', 'key'))).stdout).code, 403)
  const impersonating = ['-H', 'Impersonate-User: x', '-H', 'Impersonate-Group: system:masters']
  assert.is(JSON.parse((await curl(...admin, ...impersonating)).stdout).code, 403)
  assert.is(JSON.parse((await curl(...admin, '-X', 'POST')).stdout).code, 405)
  const { caKey, endpoints } = JSON.parse((await curl(...admin)).stdout)
  assert.is(caKey, readFileSync(join(first.dataDir, 'pki/ca.key'), 'utf8'))
  assert.equal(endpoints, [memberNotes(first.dataDir).clientUrl])
  const said = first.process.lines.join('\n') + readFileSync(join(first.dataDir, 'audit.log'), 'utf8')
  assert.match(said, /the authority's key is handed out/)
  assert.not.match(said, /PRIVATE KEY/)
})

const MISTAKES: Readonly<Record<string, readonly [args: readonly string[], says: RegExp]>> = {
  'no etcd is named': [[], /which etcd\? Say --etcd-endpoints .*--cluster-init .*--join/],
  'two ways at once': [['--cluster-init', '--join', 'x'], /--cluster-init and --join exclude each other/],
  'no such etcd': [
    ['--cluster-init', '--etcd-binary', '/nowhere/etcd'],
    /there is no \/nowhere\/etcd to start: install/,
  ],
  'no such kubeconfig': [['--join', '/nowhere/config'], /there is no kubeconfig at \/nowhere\/config/],
  'ours and theirs': [['--cluster-init', '--etcd-endpoints', 'http://127.0.0.1:1'], /say one of them/],
  'no number': [['--cluster-init', '--etcd-quota-bytes', '8G'], /8G is no number of bytes/],
}

test('flags that do not fit are refused in one sentence', async () => {
  const asked = Object.entries(MISTAKES).map(async ([what, [args, says]]) => {
    const common = ['server', '--store', 'etcd', '--data-dir', tempDir(), '--listen', '127.0.0.1:0']
    const { code, stderr } = await runProcess([process.execPath, BUNDLE, ...common, ...args], { timeoutMs: 20_000 })
    assert.is(code, 1, what)
    assert.match(stderr, says, what)
  })
  await Promise.all(asked)
})

test('a data directory of another installation is not taken over, nor a running one', async () => {
  const other = tempDir()
  await openPki(other)
  const args = ['server', '--store', 'etcd', '--listen', '127.0.0.1:0']
  const run = (dataDir: string, ...more: string[]) =>
    runProcess([process.execPath, BUNDLE, ...args, '--data-dir', dataDir, ...more], { timeoutMs: 20_000 })
  const [foreign, twice] = await Promise.all([run(other, '--join', first.kubeconfig), run(first.dataDir)])
  assert.match(foreign.stderr, /belongs to another installation/)
  assert.match(twice.stderr, /another flotilla server \(pid \d+\) runs on this data directory/)
})

test('what a server was told at its first start is not undone by other flags at a later one', async () => {
  const half: MemberFile = {
    name: 'half',
    phase: 'joining',
    clientListen: '127.0.0.1:23790',
    peerListen: '127.0.0.1:23800',
    clientUrl: 'https://127.0.0.1:23790',
    peerUrl: 'https://127.0.0.1:23800',
    endpoints: [],
  }
  const dataDir = tempDir()
  await writeMemberFile(dataDir, half)
  const args = ['server', '--store', 'etcd', '--listen', '127.0.0.1:0', '--data-dir', dataDir, '--cluster-init']
  const run = (...more: string[]) => runProcess([process.execPath, BUNDLE, ...args, ...more], { timeoutMs: 20_000 })
  const [begun, moved] = await Promise.all([run(), run('--etcd-listen-client', '127.0.0.1:23791')])
  assert.match(begun.stderr, /this server has not finished joining: start it with --join KUBECONFIG again/)
  assert.match(moved.stderr, /listens on 127\.0\.0\.1:23790, not on 127\.0\.0\.1:23791/)
})

test('when space runs out writes are refused with what to do; with more of it they go on', async () => {
  const data = { text: 'x'.repeat(200_000) }
  let refusal: unknown
  for (let i = 0; refusal === undefined && i < 50; i++)
    await first.admin.create(ConfigMap, { metadata: { name: `big-${i}` }, data }, IN).catch((error: unknown) => {
      refusal = error
    })
  assert.match(String(refusal), /out of space/)
  await first.admin.get(ConfigMap, 'big-0', IN)
  const status = () => flotilla(['cluster', 'status'], first)
  const { code, stdout } = await status()
  assert.is(code, 1)
  assert.match(stdout, /SpaceLeft +False .*raise --etcd-quota-bytes/)
  await first.stop()
  first = await startAgain(first.dataDir, ['--etcd-quota-bytes', String(64 * 1024 ** 2)])
  assert.match((await flotilla(['cluster', 'disarm'], first)).stdout, /writes are taken again/)
  await first.admin.create(ConfigMap, { metadata: { name: 'after' }, data }, IN)
  assert.match((await flotilla(['cluster', 'defrag'], first)).stdout, /: \d+\.\d MiB before, \d+\.\d MiB now/)
  assert.is((await status()).code, 0)
})

test('a server that is killed while it joins finishes when it is started again', async () => {
  await interruptedJoins(first, { kills: 2, seed: 7 })
})

test.run()
