/** What units name of ConfigMaps and Secrets: followed at a real server, and kept on disk for a boot without one. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { ConfigMap, Secret } from '../../crds/core/index.ts'
import type { Unit } from '../../crds/unit.ts'
import { openUnitSources, type UnitSources } from '../../node-agent/units/sources/index.ts'
import type { Encrypt } from '../../node-agent/units/sources/systemd-creds.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const test = suite('what units take from ConfigMaps and Secrets')
const IN_DEFAULT = { namespace: 'default' }
/** The machine's systemd has its own test (test/lab/unit-files.test.ts); here it only matters what is asked of it. */
const reversed: Encrypt = async (credential, plain) => `${credential}:${Buffer.from(plain).reverse().toString()}`

let server: ApiServer
let admin: ApiClient
test.before(async () => {
  server = await startApiServer({ dataDir: tempDir(), listen: '127.0.0.1:0', store: 'memory', log })
  admin = connect({ kubeconfigPath: server.kubeconfigPath })
})
test.after(async () => {
  await admin.close()
  await server.close()
})

function unit(spec: Partial<Unit['spec']>): Unit {
  const whole = { desiredState: 'launched', failover: 'none', content: '', ...spec } as const
  return { apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: { name: 'a.service' }, spec: whole }
}

interface Open {
  readonly sources: UnitSources
  readonly dataDir: string
  readonly wakes: () => number
}

async function withSources(
  work: (open: Open) => Promise<void>,
  { dataDir = tempDir(), client = admin, encrypt = reversed, readsSecrets = true } = {},
): Promise<void> {
  const stopping = new AbortController()
  let wakes = 0
  const wake = () => void wakes++
  const sources = await openUnitSources({
    ...{ client, dataDir, wake, log, encrypt, readsSecrets },
    signal: stopping.signal,
  })
  await work({ sources, dataDir, wakes: () => wakes })
  stopping.abort()
}

const names = (name: string) => unit({ environment: [{ name: 'A', configMapKeyRef: { name, key: 'k' } }] })
const takes = (name: string) => unit({ credentials: [{ name: 'c', secretKeyRef: { name, key: 'k' } }] })
const freshName = () => `n-${randomUUID().slice(0, 8)}`
const data = (k: string) => ({ data: { k } })

function told(sources: UnitSources, name: string, expected: object): Promise<unknown> {
  const look = async () => {
    const found = sources.of([names(name)], true).configMapKey(name, 'k')
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(JSON.stringify(found))
    return true
  }
  return until(look, { what: `${name} to be ${JSON.stringify(expected)}` })
}

test('a ConfigMap is told from its creation over its changes to its end, and each wakes the agent', () =>
  withSources(async ({ sources, dataDir, wakes }) => {
    const name = freshName()
    assert.equal(sources.of([names(name)], true).configMapKey(name, 'k'), { absent: 'unknown' })
    await told(sources, name, { absent: 'no-object' })
    await admin.create(ConfigMap, { metadata: { name, ...IN_DEFAULT }, ...data('one') })
    await told(sources, name, { value: 'one' })
    const before = wakes()
    await admin.patch(ConfigMap, name, { ...IN_DEFAULT, type: 'merge', body: data('two') })
    await told(sources, name, { value: 'two' })
    assert.ok(wakes() > before)
    assert.is(readdirSync(join(dataDir, 'agent/objects/ConfigMap')).length, 1)
    await admin.delete(ConfigMap, name, IN_DEFAULT)
    await told(sources, name, { absent: 'no-object' })
    assert.equal(readdirSync(join(dataDir, 'agent/objects/ConfigMap')), [])
  }))

test('the same answer is the same object as long as nothing has changed', () =>
  withSources(async ({ sources }) => {
    const name = freshName()
    await told(sources, name, { absent: 'no-object' })
    assert.is(sources.of([names(name)], true), sources.of([names(name)], true))
  }))

test('without a server the copies and blobs of an earlier agent have to do; with one its word is waited for', async () => {
  const dataDir = tempDir()
  const name = freshName()
  await admin.create(ConfigMap, { metadata: { name, ...IN_DEFAULT }, ...data('kept') })
  await admin.create(Secret, { metadata: { name, ...IN_DEFAULT }, stringData: { k: 'secret' } })
  const both = [names(name), takes(name)]
  await withSources(
    async ({ sources }) => {
      await told(sources, name, { value: 'kept' })
      await until(async () => 'blobPath' in sources.of(both, true).secretKey(name, 'k', 'c'), { what: 'the blob' })
    },
    { dataDir },
  )
  const { KubeConfig } = await import('@kubernetes/client-node')
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromFile(server.kubeconfigPath)
  const nowhere = connect({ kubeconfig: withServer(kubeconfig, 'https://127.0.0.1:1') })
  await withSources(
    async ({ sources }) => {
      assert.equal(sources.of(both, true).configMapKey(name, 'k'), { absent: 'unknown' })
      const away = sources.of(both, false)
      assert.equal(away.configMapKey(name, 'k'), { value: 'kept' })
      const found = away.secretKey(name, 'k', 'c')
      assert.is('blobPath' in found && readFileSync(found.blobPath, 'utf8'), 'c:terces')
      assert.equal(away.secretKey(name, 'other', 'c'), { absent: 'unknown' })
    },
    { dataDir, client: nowhere },
  )
  await nowhere.close()
})

function withServer<T extends { clusters: { server: string }[] }>(kubeconfig: T, url: string): T {
  kubeconfig.clusters = kubeconfig.clusters.map((cluster) => ({ ...cluster, server: url }))
  return kubeconfig
}

test('a Secret is never told before its blob is there, and why it cannot be is said', async () => {
  const name = freshName()
  await admin.create(Secret, { metadata: { name, ...IN_DEFAULT }, stringData: { k: 'v' } })
  const refusing: Encrypt = () => Promise.reject(new Error('systemd-creds is not on this machine'))
  await withSources(
    async ({ sources, dataDir }) => {
      const look = () => sources.of([takes(name)], true).secretKey(name, 'k', 'c')
      await until(async () => 'why' in look(), { what: 'the reason' })
      assert.equal(look(), { absent: 'not-encrypted', why: 'systemd-creds is not on this machine' })
      assert.not(readdirSync(dataDir, { recursive: true }).some((file) => String(file).endsWith('.cred')))
    },
    { encrypt: refusing },
  )
})

test('where nobody could decrypt it, no Secret is asked for', async () => {
  const name = freshName()
  await admin.create(Secret, { metadata: { name, ...IN_DEFAULT }, stringData: { k: 'v' } })
  const never: Encrypt = () => assert.unreachable('nothing may be encrypted') as never
  await withSources(
    async ({ sources }) => {
      sources.of([takes(name), names(name)], true)
      await told(sources, name, { absent: 'no-object' })
      assert.equal(sources.of([takes(name), names(name)], true).secretKey(name, 'k', 'c'), { absent: 'unknown' })
    },
    { encrypt: never, readsSecrets: false },
  )
})

test('what no unit names any more is neither followed nor kept', () =>
  withSources(async ({ sources, dataDir }) => {
    const name = freshName()
    await admin.create(ConfigMap, { metadata: { name, ...IN_DEFAULT }, ...data('x') })
    await admin.create(Secret, { metadata: { name, ...IN_DEFAULT }, stringData: { k: 'v' } })
    await told(sources, name, { value: 'x' })
    await until(async () => 'blobPath' in sources.of([names(name), takes(name)], true).secretKey(name, 'k', 'c'), {
      what: 'the blob',
    })
    sources.of([], true)
    const left = () => ['objects/ConfigMap', 'credentials'].flatMap((at) => readdirSync(join(dataDir, 'agent', at)))
    await until(async () => left().length === 0, { what: 'copies and blobs to go' })
    assert.equal(sources.of([], true).configMapKey(name, 'k'), { absent: 'unknown' })
  }))

test.run()
