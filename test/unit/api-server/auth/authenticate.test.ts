import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { identify } from '../../../../api-server/auth/authenticate.ts'
import type { Identity } from '../../../../api-server/auth/identity.ts'
import type { KeyPair } from '../../../../api-server/auth/key-pair.ts'
import { openPki, type Pki } from '../../../../api-server/auth/pki.ts'

const MACHINE = { commonName: 'machine:m1', organizations: ['flotilla:machines'], dnsNames: ['machine-m1'] }

let folder = ''
let pki: Pki
let server: Server
const accepted: TLSSocket[] = []
const keyHashes = new Map<string, string[]>()
const deps = { machineKeyHashes: (name: string) => keyHashes.get(name) }
const test = suite('authenticate')

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'authenticate-'))
  pki = await openPki(folder)
  const { certificate: cert, key } = await pki.serverCredentials(['localhost'])
  server = createServer({ cert, key, ca: pki.caCertificate, requestCert: true, rejectUnauthorized: false })
  server.on('secureConnection', (socket) => accepted.push(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

test.after(async () => {
  for (const socket of accepted) socket.destroy()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

interface Dialled {
  readonly client: TLSSocket
  readonly serverSide: TLSSocket
}

async function dial(pair?: KeyPair, session?: Buffer): Promise<Dialled> {
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: pki.caCertificate,
    ...(pair && { cert: pair.certificate, key: pair.key }),
    ...(session && { session }),
  })
  const [[socket]] = await Promise.all([once(server, 'secureConnection'), once(client, 'secureConnect')])
  return { client, serverSide: socket }
}

async function identityOf(pair?: KeyPair): Promise<Identity | undefined> {
  const { client, serverSide } = await dial(pair)
  const identity = identify(serverSide, deps)
  client.destroy()
  return identity
}

/** Connects once to get a session ticket, then again with it. */
async function resume(pair?: KeyPair): Promise<Dialled> {
  const first = await dial(pair)
  const ticket = once(first.client, 'session')
  first.serverSide.write('x')
  const [session] = await ticket
  first.client.destroy()
  return dial(undefined, session)
}

test('the common name is the user and the organizations are the groups', async () => {
  const admin = await pki.adminCredentials()
  assert.equal(await identityOf(admin), { user: 'admin', groups: ['system:masters', 'system:authenticated'] })
})

test('no certificate is the anonymous user', async () => {
  assert.equal(await identityOf(), { user: 'system:anonymous', groups: ['system:unauthenticated'] })
})

test('another authority’s certificate is nobody, whatever it says', async () => {
  const foreign = await openPki(join(folder, 'foreign'))
  assert.is(await identityOf(await foreign.adminCredentials()), undefined)
})

test('an ended certificate is nobody', async () => {
  const past = await openPki(folder, { now: () => Date.now() - 10 * 86_400_000 })
  assert.is(await identityOf(await past.issueClient({ commonName: 'admin', days: 1 })), undefined)
})

test('the server’s own certificate does not open doors', async () => {
  assert.is(await identityOf(await pki.serverCredentials(['localhost'])), undefined)
})

test('a machine counts only while its Machine lists its key', async () => {
  const pair = await pki.issueClient(MACHINE)
  assert.is(await identityOf(pair), undefined)
  keyHashes.set('m1', [pair.keyHash])
  assert.equal(await identityOf(pair), { user: 'machine:m1', groups: ['flotilla:machines', 'system:authenticated'] })
  keyHashes.set('m1', ['sha256:another'])
  assert.is(await identityOf(pair), undefined)
})

test('removing a machine’s key cuts off the connections it already has', async () => {
  const pair = await pki.issueClient(MACHINE)
  keyHashes.set('m1', [pair.keyHash])
  const { client, serverSide } = await dial(pair)
  assert.is(identify(serverSide, deps)?.user, 'machine:m1')
  keyHashes.delete('m1')
  assert.is(identify(serverSide, deps), undefined)
  client.destroy()
})

test('a machine’s name without its group, or its group without the name, is nobody', async () => {
  const nameOnly = await pki.issueClient({ commonName: 'machine:m1' })
  const groupOnly = await pki.issueClient({ commonName: 'bob', organizations: ['flotilla:machines'] })
  keyHashes.set('m1', [nameOnly.keyHash, groupOnly.keyHash])
  assert.is(await identityOf(nameOnly), undefined)
  assert.is(await identityOf(groupOnly), undefined)
})

test('a resumed session is who it was: with a certificate the same user', async () => {
  const { client, serverSide } = await resume(await pki.adminCredentials())
  assert.ok(serverSide.isSessionReused())
  assert.is(identify(serverSide, deps)?.user, 'admin')
  client.destroy()
})

test('a resumed session is who it was: without a certificate still anonymous', async () => {
  const { client, serverSide } = await resume()
  assert.ok(serverSide.isSessionReused())
  assert.is(identify(serverSide, deps)?.user, 'system:anonymous')
  client.destroy()
})

test.run()
