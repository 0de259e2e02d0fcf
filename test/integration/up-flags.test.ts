/** How `up` and `server` are told where and how: flags, environment, ports, and what they say to a mistake. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Namespace } from '../../crds/index.ts'
import { Machine } from '../../crds/machine.ts'
import { runProcess } from '../support/process.ts'
import { flotilla, startProduct } from '../support/product.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const READY_WITHIN_MS = 1_000
const test = suite('up and server, their flags')

async function busyPort(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

/** One slow start may be another test's fault; three are ours. */
async function bestStart(): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3 && best > READY_WITHIN_MS; attempt += 1) {
    await using product = await startProduct(['server'])
    best = Math.min(best, product.readyAfterMs)
  }
  return best
}

test('up --machines 0 is the control plane alone, with its controllers', async () => {
  await using product = await startProduct(['up', '--machines', '0'])
  assert.is((await product.admin.list(Machine)).items.length, 0)
  await until(() => product.admin.get(Namespace, 'flotilla-machines'), { what: 'the namespace of the leases' })
})

test('the API server is ready within a second of its start', async () => {
  const readyAfterMs = await bestStart()
  assert.ok(readyAfterMs <= READY_WITHIN_MS, `ready after ${Math.round(readyAfterMs)} ms`)
})

test('port 0 is any port: the ready line and endpoints.json tell which', async () => {
  await using product = await startProduct(['server', '--listen', '127.0.0.1:0'])
  const { api = '' } = product.endpoints
  assert.match(api, /^https:\/\/127\.0\.0\.1:[1-9]\d+$/)
  assert.is(product.kubeconfig, join(product.dataDir, 'kubeconfig'))
  assert.match(readFileSync(product.kubeconfig, 'utf8'), new RegExp(`server: "?${api}"?$`, 'm'))
  assert.is(statSync(product.kubeconfig).mode & 0o077, 0, 'nobody else may read the admin credentials')
})

test('the environment says what a flag would, and the flag wins', async () => {
  const dataDir = tempDir()
  const env = { FLOTILLA_DATA_DIR: dataDir, FLOTILLA_LISTEN: '127.0.0.1:0' }
  {
    await using product = await startProduct(['server'], { dataDir, env })
    assert.is(product.kubeconfig, join(dataDir, 'kubeconfig'))
  }
  const { server, port } = await busyPort()
  const listen = ['--listen', '127.0.0.1:0']
  await using product = await startProduct(['server', ...listen], { env: { FLOTILLA_LISTEN: `127.0.0.1:${port}` } })
  assert.not.match(product.endpoints.api ?? '', `:${port}`)
  server.close()
})

test('a port that is taken is told in one sentence', async () => {
  const { server, port } = await busyPort()
  const dataDir = tempDir()
  const argv = ['up', '--machines', '0', '--data-dir', dataDir, '--listen', `127.0.0.1:${port}`]
  const { code, stderr } = await flotilla(argv, { kubeconfig: '/dev/null' })
  server.close()
  assert.is(code, 1)
  assert.match(stderr, new RegExp(`^flotilla: .*127\\.0\\.0\\.1:${port}.*\\n$`))
})

test('the etcd v2 API is where --legacy-listen says, and on the TLS port for those who may', async () => {
  await using product = await startProduct(['server', '--legacy-listen', '127.0.0.1:0'])
  const { api = '', etcdV2 = '' } = product.endpoints
  const put = await fetch(`${etcdV2}/v2/keys/x`, { method: 'PUT', body: new URLSearchParams({ value: '1' }) })
  assert.is(put.status, 201)
  const anonymous = await runProcess(['curl', '-sk', '-w', '%{http_code}', `${api}/v2/keys/x`])
  assert.match(anonymous.stdout, /"errorCode":110.*401$/s)
})

test('where the etcd v2 address is taken, a server that was told to have it does not start', async () => {
  const { server, port } = await busyPort()
  const argv = ['server', '--data-dir', tempDir(), '--listen', '127.0.0.1:0', '--legacy-listen', `127.0.0.1:${port}`]
  const { code, stderr } = await flotilla(argv, { kubeconfig: '/dev/null' })
  server.close()
  assert.is(code, 1)
  assert.match(
    stderr,
    new RegExp(`^flotilla: the etcd v2 API cannot listen on 127\\.0\\.0\\.1:${port}: .*taken.*\\n$`, 'm'),
  )
})

test('a flag that is wrong names itself and what it may be', async () => {
  const ends = (...args: readonly string[]) => flotilla(args, { kubeconfig: '/dev/null' })
  const wrong: readonly (readonly [args: readonly string[], told: RegExp])[] = [
    [['up', '--machines', 'three'], /--machines.*whole number from 0 to 50/],
    [['up', '--log-level', 'loud'], /--log-level.*debug, info, warn, error, silent/],
    [['server', '--store', 'paper'], /--store.*embedded, etcd, memory/],
    [['up', '--listen', 'nowhere', '--machines', '0', '--data-dir', tempDir()], /nowhere/],
    [['upp'], /unknown command 'upp'/],
  ]
  for (const [args, told] of wrong) {
    const { code, stderr } = await ends(...args)
    assert.is(code, 1, args.join(' '))
    assert.match(stderr, told)
    assert.not.match(stderr, /^ +at /m)
  }
})

test('what was written is there after a restart on the same data folder, under the same credentials', async () => {
  const first = await startProduct(['server'])
  const { dataDir } = first
  await first.admin.create(Namespace, { metadata: { name: 'kept' } })
  const kubeconfig = readFileSync(first.kubeconfig, 'utf8')
  assert.is((await first.stop('SIGTERM')).code, 0)
  await using second = await startProduct(['server'], { dataDir })
  assert.is((await second.admin.get(Namespace, 'kept')).metadata.name, 'kept')
  const certificate = (text: string) => /client-certificate-data: (\S+)/.exec(text)?.[1]
  assert.is(certificate(readFileSync(second.kubeconfig, 'utf8')), certificate(kubeconfig))
  assert.ok(existsSync(join(dataDir, 'pki')))
})

test.run()
