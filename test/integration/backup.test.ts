/** `flotilla backup` and `flotilla restore` as their users run them: real processes, killed and refused. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openMemoryStore } from '../../api-server/store/memory.ts'
import { ConfigMap } from '../../crds/index.ts'
import { put, write } from '../suites/store-backend.ts'
import { flotilla, type Product, startFlotilla, startProduct } from '../support/product.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { v2Tree } from './backup-load.ts'

const test = suite('backup')

const run = (args: readonly string[], kubeconfig = '/nowhere') => flotilla(args, { kubeconfig })

async function summaryOf(args: readonly string[], kubeconfig?: string) {
  const { code, stdout, stderr } = await run([...args, '-o', 'json'], kubeconfig)
  assert.is(code, 0, stderr)
  return JSON.parse(stdout)
}

const COUNTERS = 8

/** Sets c0, c1, … to 1, then all to 2, and so on: at every moment each is what the one before it is, or one less. */
function countUp({ admin }: Product) {
  let hasEnded = false
  let rounds = 0
  const counting = (async () => {
    for (; !hasEnded; rounds++)
      for (let i = 0; i < COUNTERS; i++) {
        const body = { data: { value: String(rounds + 1) } }
        await admin.patch(ConfigMap, `c${i}`, { namespace: 'default', type: 'merge', body })
      }
  })()
  counting.catch(() => undefined) // told by stop
  const stop = async () => {
    hasEnded = true
    await counting
  }
  return { rounds: () => rounds, stop }
}

async function counters({ admin }: Product): Promise<number[]> {
  const { items } = await admin.list(ConfigMap, { namespace: 'default' })
  return items.filter(({ metadata }) => /^c\d$/.test(metadata.name)).map(({ data }) => Number(data?.value))
}

test('a backup of a busy server is one moment of it, holds all that was acknowledged, and rebuilds it elsewhere', async () => {
  await using product = await startProduct(['server'])
  for (let i = 0; i < COUNTERS; i++)
    await product.admin.create(ConfigMap, { metadata: { name: `c${i}`, namespace: 'default' }, data: { value: '0' } })
  for (const key of ['a', 'b', 'b'])
    await fetch(`${product.endpoints.etcdV2}/v2/keys/${key}?value=1`, { method: 'PUT' })
  const load = countUp(product)
  await until(() => load.rounds() > 3, { what: 'some rounds' })
  const [file, dataDir, keyFile] = [join(tempDir(), 'backup'), tempDir(), join(product.dataDir, 'pki/ca.crt')]
  const acknowledged = load.rounds()
  const options = ['--data-dir', product.dataDir, '--with-pki', '--encrypt-with', keyFile]
  const summary = await summaryOf(['backup', file, ...options], product.kubeconfig)
  await load.stop()
  assert.is(summary.v2Keys, 2)
  assert.is(summary.bytes, statSync(file).size)
  assert.ok(summary.objects > COUNTERS && summary.encrypted && summary.pki)
  assert.is(statSync(file).mode & 0o777, 0o600)
  const tree = await v2Tree(product.endpoints.etcdV2)
  await product.stop()

  await summaryOf(['restore', file, '--data-dir', dataDir, '--decrypt-with', keyFile])
  await using rebuilt = await startProduct(['server'], { dataDir })
  const values = await counters(rebuilt)
  const first = values[0] ?? 0
  assert.ok(first >= acknowledged, `${values} after ${acknowledged} rounds`)
  assert.ok(
    values.every((value, at) => value <= (values[at - 1] ?? first) && value >= first - 1),
    String(values),
  )
  assert.equal(await v2Tree(rebuilt.endpoints.etcdV2), tree)
  assert.equal(readFileSync(join(dataDir, 'pki/ca.key')), readFileSync(join(product.dataDir, 'pki/ca.key')))
})

/** What the server answers to who shows this certificate of its own. */
function ask(
  { dataDir, endpoints }: Product,
  certificate: string | undefined,
  headers = {},
): Promise<number | undefined> {
  const pem = (name: string) => readFileSync(join(dataDir, 'pki', name))
  const shown = certificate && { cert: pem(`${certificate}.crt`), key: pem(`${certificate}.key`) }
  const options = { ca: pem('ca.crt'), ...shown, headers, agent: false }
  return new Promise((resolve, reject) => {
    request(`${endpoints.api}/flotilla.dev/backup`, options, (response) => {
      resolve(response.statusCode)
      response.resume()
    })
      .on('error', reject)
      .end()
  })
}

test('only system:masters get a backup', async () => {
  await using product = await startProduct(['server'])
  const bob = { 'impersonate-user': 'bob' }
  assert.is(await ask(product, 'admin'), 200)
  assert.is(await ask(product, 'api-server'), 403)
  assert.is(await ask(product, 'admin', bob), 403)
  assert.is(await ask(product, undefined), 401)
})

/** Large enough that a process can be killed while it is restored. */
async function largeBackup(): Promise<string> {
  await using store = openMemoryStore()
  const value = 'x'.repeat(3_000)
  for (let i = 0; i < 120; i++)
    await write(store, ...Array.from({ length: 100 }, (_, j) => put(`/r/core/configmaps/default/${i}-${j}`, value)))
  const file = join(tempDir(), 'large')
  await store.snapshot(file)
  return file
}

test('a restore that is killed half way leaves a data directory that says so, and the next one finishes it', async () => {
  const [file, dataDir] = [await largeBackup(), tempDir()]
  const restoring = await startFlotilla(['restore', file, '--data-dir', dataDir], '/nowhere')
  await until(() => existsSync(join(dataDir, 'store.restoring', 'data.mdb')), {
    what: 'the restore has begun',
    timeoutMs: 10_000,
  })
  await restoring.crash()
  assert.not.ok(existsSync(join(dataDir, 'store')))
  const server = await run(['server', '--data-dir', dataDir, '--listen', '127.0.0.1:0'])
  assert.is(server.code, 1)
  assert.match(server.stderr, /was broken off: run it again/)
  assert.is((await summaryOf(['restore', file, '--data-dir', dataDir])).keys, 12_000)
  assert.match((await run(['restore', file, '--data-dir', dataDir])).stderr, /already holds a store: .*--force/)
})

test('a stopped server is backed up from its files, and commands that cannot work say what to do', async () => {
  const file = join(tempDir(), 'backup')
  const product = await startProduct(['server'])
  const used = await run(['restore', '/etc/hostname', '--data-dir', product.dataDir, '--force'])
  assert.match(used.stderr, /not a backup made by Flotilla/)
  await summaryOf(['backup', file, '--data-dir', product.dataDir])
  const running = await run(['restore', file, '--data-dir', product.dataDir, '--force'])
  assert.match(running.stderr, /in use by process/)
  await product.stop()
  assert.match((await summaryOf(['backup', file, '--data-dir', product.dataDir])).from, /the files in/)
  assert.match((await run(['backup', file], product.kubeconfig)).stderr, /does not answer/)
  assert.match((await run(['backup', file, '--with-pki', '--data-dir', tempDir()])).stderr, /server's own machine/)
  assert.match((await run(['restore', file])).stderr, /say where to: --data-dir/)
})

test.run()
