import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { renderKubeconfig, writeKubeconfig } from '../../../../api-server/auth/kubeconfig.ts'

const CONTENT = {
  server: 'https://127.0.0.1:6443',
  caCertificate: 'CA',
  certificate: 'CERT',
  key: 'KEY',
  user: 'admin',
}
const test = suite('kubeconfig')

test('says where the server is and who we are, in the form kubectl reads', () => {
  const config = parse(renderKubeconfig({ ...CONTENT, tlsServerName: 'flotilla' }))
  assert.is(config['current-context'], 'flotilla')
  assert.equal(config.contexts, [{ name: 'flotilla', context: { cluster: 'flotilla', user: 'admin' } }])
  assert.equal(config.clusters[0].cluster, {
    server: 'https://127.0.0.1:6443',
    'certificate-authority-data': Buffer.from('CA').toString('base64'),
    'tls-server-name': 'flotilla',
  })
  assert.is(Buffer.from(config.users[0].user['client-key-data'], 'base64').toString(), 'KEY')
})

test('a name cannot break out of its place', () => {
  const user = 'a"\n- name: b # {x: "'
  assert.is(parse(renderKubeconfig({ ...CONTENT, user })).users[0].name, user)
})

test('the file is its owner’s alone, whole, and replaces the one before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  try {
    const path = join(folder, 'kubeconfig')
    await writeKubeconfig(path, { ...CONTENT, user: 'first' })
    await writeKubeconfig(path, CONTENT)
    assert.is((await stat(path)).mode & 0o777, 0o600)
    assert.is(await readFile(path, 'utf8'), renderKubeconfig(CONTENT))
    assert.equal(await readdir(folder), ['kubeconfig'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test.run()
