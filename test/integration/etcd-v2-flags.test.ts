/** What flags make of the etcd v2 door: TLS with client certificates as etcd has it, etcd's short history, any address. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { openPki } from '../../api-server/auth/pki.ts'
import { type EtcdFiles, type EtcdMember, startEtcd } from '../support/etcd.ts'
import { doorOf } from '../support/idle-clients.ts'
import { runProcess } from '../support/process.ts'
import { type Product, startProduct } from '../support/product.ts'
import { commandPath, suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { askWithCertificate } from './etcd-v2-tls-client.ts'

const test = suiteOf("the etcd v2 door's flags", { needs: ['etcd'] })
let files: EtcdFiles
let carol: EtcdFiles
let server: Product
let etcd: EtcdMember

/** An authority of the operator's own, not the server's. */
async function makeFiles(): Promise<void> {
  const dir = tempDir()
  const pki = await openPki(dir)
  const write = async (commonName: string, names: { ipAddresses?: readonly string[] } = {}): Promise<EtcdFiles> => {
    const { certificate, key } = await pki.issueClient({ commonName, ...names })
    const file = (suffix: string, text: string) => {
      writeFileSync(join(dir, commonName + suffix), text, { mode: 0o600 })
      return join(dir, commonName + suffix)
    }
    return { ca: file('.ca', pki.caCertificate), certificate: file('.crt', certificate), key: file('.key', key) }
  }
  files = await write('etcd', { ipAddresses: ['127.0.0.1'] })
  carol = await write('carol')
}

test.before(async () => {
  await makeFiles()
  const tls = ['--legacy-tls-cert', files.certificate, '--legacy-tls-key', files.key, '--legacy-tls-ca', files.ca]
  const args = ['server', '--etcd-v2-strict', ...tls]
  ;[server, etcd] = await Promise.all([
    startProduct(args),
    startEtcd({ tls: { server: files, client: files }, args: ['--enable-v2', '--client-cert-auth'] }),
  ])
})
test.after(async () => {
  await Promise.all([server.stop(), etcd[Symbol.asyncDispose]()])
})

const SESSION: readonly (readonly [who: 'carol' | 'nobody', line: string])[] = [
  ['nobody', 'set /a 1'],
  ['carol', 'set /a 1'],
  ['carol', 'user add root:r00t'],
  ['carol', 'user add carol:unused'],
  ['carol', 'role add writers'],
  ['carol', 'role grant writers --path /mine --readwrite'],
  ['carol', 'user grant carol --roles writers'],
  ['carol', 'auth enable'],
  ['carol', '-u root:r00t role revoke guest --path /* --readwrite'],
  ['carol', 'set /mine 1'],
  ['carol', 'set /a 2'],
  ['carol', 'user list'],
  ['carol', '-u root:r00t set /a 2'],
  ['carol', '-u carol:wrong get /mine'],
]

test('the common name of a certificate is the user, and none comes in without one: as with etcd', async () => {
  const etcdctl = commandPath('etcdctl') ?? 'etcdctl'
  for (const [who, line] of SESSION) {
    const shown = who === 'carol' ? ['--cert-file', carol.certificate, '--key-file', carol.key] : []
    const say = async (url: string) => {
      const argv = [etcdctl, '--no-sync', '--endpoints', url, '--ca-file', files.ca, ...shown, ...line.split(' ')]
      const { code, stdout, stderr } = await runProcess(argv, { env: { ETCDCTL_API: '2' } })
      return who === 'carol' ? `${code} ${stdout}${stderr}` : `${code}`
    }
    const [ours, theirs] = await Promise.all([say(server.endpoints.etcdV2 ?? ''), say(etcd.url)])
    assert.is(ours, theirs, `${who}: ${line}`)
  }
})

test("Flotilla's administrator is not locked out by etcd's users and roles", async () => {
  const { status } = await askWithCertificate(doorOf(server.kubeconfig), 'GET', '/v2/auth/users')
  assert.is(status, 200)
})

test('--etcd-v2-strict serves the thousand events that etcd serves', async () => {
  const door = doorOf(server.kubeconfig)
  const put = () => askWithCertificate(door, 'PUT', '/v2/keys/many')
  for (let i = 0; i < 21; i += 1) await Promise.all(Array.from({ length: 50 }, put))
  const { status, body } = await askWithCertificate(door, 'GET', '/v2/keys/many?wait=true&waitIndex=1')
  assert.is(status, 400)
  assert.match(body, /"errorCode":401,.*the requested history has been cleared \[\d+\/1\]/)
})

test('a door on all addresses names the one that the client has used', async () => {
  await using open = await startProduct(['server', '--legacy-listen', '0.0.0.0:0'])
  const { port } = new URL(open.endpoints.etcdV2 ?? '')
  assert.is(await (await fetch(`http://127.0.0.2:${port}/v2/machines`)).text(), `http://127.0.0.2:${port}`)
})

test.run()
