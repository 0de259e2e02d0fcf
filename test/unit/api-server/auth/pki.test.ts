import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openPki } from '../../../../api-server/auth/pki.ts'

const DAY_MS = 86_400_000
const NAMES = ['localhost', '127.0.0.1', 'flotilla']
const test = suite<{ dataDir: string; pki: string }>('pki')

test.before.each(async (context) => {
  context.dataDir = await mkdtemp(join(tmpdir(), 'pki-'))
  context.pki = join(context.dataDir, 'pki')
})
test.after.each(({ dataDir }) => rm(dataDir, { recursive: true, force: true }))

const dayOf = (pem: string): number => Date.parse(new X509Certificate(pem).validTo) / DAY_MS

test('opening again finds the same authority, server and admin', async ({ dataDir }) => {
  const first = await openPki(dataDir)
  const server = await first.serverCredentials(NAMES)
  const admin = await first.adminCredentials()
  const again = await openPki(dataDir)
  assert.is(again.caCertificate, first.caCertificate)
  assert.is(again.caHash, first.caHash)
  assert.equal(await again.serverCredentials(NAMES), server)
  assert.equal(await again.adminCredentials(), admin)
})

test('private keys are readable by their owner alone', async ({ dataDir, pki }) => {
  const opened = await openPki(dataDir)
  await opened.serverCredentials(NAMES)
  await opened.adminCredentials()
  assert.is((await stat(pki)).mode & 0o777, 0o700)
  for (const name of ['ca.key', 'server.key', 'admin.key']) {
    assert.is((await stat(join(pki, name))).mode & 0o777, 0o600, name)
  }
})

test('the served chain holds the authority whose key the hash pins', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  const { certificate } = await pki.serverCredentials(NAMES)
  const chain = certificate.split(/(?<=-----END CERTIFICATE-----\n)/)
  assert.is(chain.length, 2)
  assert.is(chain[1], pki.caCertificate)
  assert.match(pki.caHash, /^sha256:[0-9a-f]{64}$/)
  assert.ok(new X509Certificate(certificate).verify(new X509Certificate(pki.caCertificate).publicKey))
})

test('the server certificate answers to every wanted name and to no other', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  const leaf = new X509Certificate((await pki.serverCredentials([...NAMES, '::1'])).certificate)
  assert.ok(leaf.checkHost('localhost'))
  assert.ok(leaf.checkHost('flotilla'))
  assert.ok(leaf.checkIP('127.0.0.1'))
  assert.ok(leaf.checkIP('::1'))
  assert.not(leaf.checkHost('example.org'))
})

test('a new listen address makes a new server certificate, a dropped one does not', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  const before = await pki.serverCredentials(NAMES)
  assert.equal(await pki.serverCredentials(['localhost']), before)
  const after = await pki.serverCredentials([...NAMES, '10.77.0.1'])
  assert.is.not(after.certificate, before.certificate)
  assert.ok(new X509Certificate(after.certificate).checkIP('10.77.0.1'))
})

test('fewer than thirty days left: the server certificate is renewed, the authority stays', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  const { certificate } = await pki.serverCredentials(NAMES)
  const laterMs = Date.now() + 340 * DAY_MS
  const later = await openPki(dataDir, { now: () => laterMs })
  const renewed = await later.serverCredentials(NAMES)
  assert.is(later.caCertificate, pki.caCertificate)
  assert.ok(dayOf(renewed.certificate) > dayOf(certificate) + 300)
})

test('an ageing authority is signed anew with the same key, and what it signed stays valid', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  const client = await pki.issueClient({ commonName: 'machine:m1', days: 5000 })
  const laterMs = Date.now() + 3300 * DAY_MS
  const later = await openPki(dataDir, { now: () => laterMs })
  assert.is(later.caHash, pki.caHash)
  assert.ok(dayOf(later.caCertificate) > dayOf(pki.caCertificate) + 3000)
  const leaf = new X509Certificate(client.certificate)
  assert.ok(leaf.checkIssued(new X509Certificate(later.caCertificate)))
  assert.ok(leaf.verify(new X509Certificate(later.caCertificate).publicKey))
})

test('killed between key and certificate, the authority keeps its key', async ({ dataDir, pki }) => {
  const { caHash } = await openPki(dataDir)
  await rm(join(pki, 'ca.crt'))
  assert.is((await openPki(dataDir)).caHash, caHash)
})

test('a torn authority certificate is mended', async ({ dataDir, pki }) => {
  const { caHash } = await openPki(dataDir)
  await writeFile(join(pki, 'ca.crt'), '-----BEGIN CERT')
  const mended = await openPki(dataDir)
  assert.is(mended.caHash, caHash)
  assert.is(await readFile(join(pki, 'ca.crt'), 'utf8'), mended.caCertificate)
})

test('a key half written by a first start that died is no obstacle', async ({ dataDir, pki }) => {
  await mkdir(pki)
  await writeFile(join(pki, 'ca.key'), '-----BEGIN PRIV')
  assert.match((await openPki(dataDir)).caHash, /^sha256:/)
})

test('a lost authority key is refused, never replaced in silence', async ({ dataDir, pki }) => {
  await openPki(dataDir)
  await rm(join(pki, 'ca.key'))
  let message = ''
  await openPki(dataDir).catch((error: Error) => {
    message = error.message
  })
  assert.match(message, /put the key back from a backup/)
  assert.not((await readdir(pki)).includes('ca.key'))
})

test('a server key without its own certificate makes a new pair that fits', async ({ dataDir, pki }) => {
  const opened = await openPki(dataDir)
  await opened.serverCredentials(NAMES)
  const other = await opened.issueClient({ commonName: 'x' })
  await writeFile(join(pki, 'server.key'), other.key)
  const pair = await opened.serverCredentials(NAMES)
  assert.is(await readFile(join(pki, 'server.key'), 'utf8'), pair.key)
  assert.is.not(pair.key, other.key)
})

test('what a killed writer left is swept, what a living one is writing is not', async ({ dataDir, pki }) => {
  await openPki(dataDir)
  const [old, young] = ['ca.key.0123456789ab.tmp', 'ca.key.ba9876543210.tmp'].map((name) => join(pki, name))
  if (old === undefined || young === undefined) throw new Error('two paths')
  await writeFile(old, 'x')
  await writeFile(young, 'x')
  await utimes(old, 1, 1)
  await openPki(dataDir)
  assert.equal(
    (await readdir(pki)).filter((name) => name.endsWith('.tmp')),
    ['ca.key.ba9876543210.tmp'],
  )
})

test('callers at once get one and the same stored pair', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  const pairs = await Promise.all([1, 2, 3].map(() => pki.adminCredentials()))
  assert.is(new Set(pairs.map(({ key }) => key)).size, 1)
})

test('names with separators in them stay one name', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  const { certificate } = await pki.issueClient({ commonName: 'a, O=system:masters', organizations: ['b+CN=c', 'd'] })
  const { subject } = new X509Certificate(certificate).toLegacyObject()
  assert.equal(JSON.parse(JSON.stringify(subject)), { O: ['b+CN=c', 'd'], CN: 'a, O=system:masters' })
})

test('a machine certificate both dials and serves, under its own name', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  const machine = { commonName: 'machine:m1', organizations: ['flotilla:machines'], dnsNames: ['machine-m1'] }
  const { certificate, keyHash } = await pki.issueClient(machine)
  const leaf = new X509Certificate(certificate)
  assert.ok(leaf.checkHost('machine-m1'))
  assert.equal(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  assert.match(keyHash, /^sha256:[0-9a-f]{64}$/)
})

test('a start that finds everything on disk never loads the x509 library', async ({ dataDir }) => {
  const pki = await openPki(dataDir)
  await pki.serverCredentials(NAMES)
  const script = `
    const { openPki } = await import(${JSON.stringify(join(process.cwd(), 'api-server/auth/pki.ts'))})
    const pki = await openPki(${JSON.stringify(dataDir)})
    await pki.serverCredentials(${JSON.stringify(NAMES)})
    console.log(typeof Reflect.getMetadata)`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 })
  assert.is(stdout.trim(), 'undefined')
})

test.run()
