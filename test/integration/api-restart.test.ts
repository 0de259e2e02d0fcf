/** What a server keeps over its own end: versions, watches, and every write that it acknowledged. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openPki } from '../../api-server/auth/pki.ts'
import { type RunningProcess, startProcess } from '../support/process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { type Api, clientOf, type Json, MERGE, startApi, UNITS, unitBody, watchOf } from './api-raw.ts'

const test = suite('restarts')

const made = async (api: Pick<Api, 'ask'>, name: string): Promise<Json> =>
  (await api.ask('POST', UNITS, { body: unitBody(name) })).body

test('versions go on where they were, and a watch resumes from before the restart', async () => {
  const dataDir = tempDir()
  const before = await startApi({ store: 'embedded', dataDir })
  const first = await made(before, 'a.service')
  const second = (
    await before.ask('PATCH', `${UNITS}/a.service`, { type: MERGE, body: { spec: { desiredState: 'loaded' } } })
  ).body
  await made(before, 'b.service')
  await before.ask('DELETE', `${UNITS}/b.service`)
  const list = (await before.ask('GET', UNITS)).body
  await before[Symbol.asyncDispose]()

  const after = await startApi({ store: 'embedded', dataDir })
  assert.equal((await after.ask('GET', `${UNITS}/a.service`)).body, second)
  assert.equal((await after.ask('GET', UNITS)).body.items, list.items)
  const watch = await watchOf(after, `${UNITS}?watch=1&resourceVersion=${first.metadata.resourceVersion}`)
  const third = await made(after, 'c.service')
  await until(() => watch.events.length >= 4, { what: 'four events' })
  assert.equal(watch.told, ['MODIFIED a.service', 'ADDED b.service', 'DELETED b.service', 'ADDED c.service'])
  const versions = watch.events.map(({ object }) => Number(object.metadata.resourceVersion))
  assert.equal(
    versions,
    [...versions].sort((a, b) => a - b),
  )
  assert.is(versions[0], Number(second.metadata.resourceVersion))
  assert.ok(Number(third.metadata.resourceVersion) > Number(list.metadata.resourceVersion))
  await after[Symbol.asyncDispose]()
})

test('pages begun before a restart end after it, all as of the first one’s version', async () => {
  const dataDir = tempDir()
  const before = await startApi({ store: 'embedded', dataDir })
  for (const name of ['a', 'b', 'c', 'd', 'e']) await made(before, `${name}.service`)
  const first = (await before.ask('GET', `${UNITS}?limit=2`)).body
  await before.ask('DELETE', `${UNITS}/d.service`)
  await before[Symbol.asyncDispose]()

  const after = await startApi({ store: 'embedded', dataDir })
  const rest = (await after.ask('GET', `${UNITS}?limit=9&continue=${first.metadata.continue}`)).body
  assert.equal(
    [...first.items, ...rest.items].map(({ metadata }: Json) => metadata.name),
    ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.service`),
  )
  assert.is(rest.metadata.resourceVersion, first.metadata.resourceVersion)
  await after[Symbol.asyncDispose]()
})

test('what lies before the kept history is 410, for watches and for pages', async () => {
  const dataDir = tempDir()
  const before = await startApi({ store: 'embedded', dataDir })
  for (const name of ['a', 'b', 'c']) await made(before, `${name}.service`)
  const { metadata } = (await before.ask('GET', `${UNITS}?limit=1`)).body
  await before.ask('DELETE', `${UNITS}/c.service`)
  const { store } = before.server.registry
  await store.compact(store.revision)
  await before[Symbol.asyncDispose]()

  const after = await startApi({ store: 'embedded', dataDir })
  const watch = await watchOf(after, `${UNITS}?watch=1&resourceVersion=${metadata.resourceVersion}`)
  assert.is(await watch.ended, 'clean')
  assert.equal(
    watch.events.map(({ type, object }) => [type, object.code, object.reason]),
    [['ERROR', 410, 'Expired']],
  )
  for (const query of [
    `limit=1&continue=${metadata.continue}`,
    `resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`,
  ]) {
    const { code, body } = await after.ask('GET', `${UNITS}?${query}`)
    assert.equal([code, body.reason], [410, 'Expired'])
  }
  await after[Symbol.asyncDispose]()
})

const COMMAND = join(import.meta.dirname, '../../bin/flotilla.ts')

async function startProcessServer(
  dataDir: string,
): Promise<{ process: RunningProcess; api: Pick<Api, 'ask'> & { close(): void } }> {
  const flags = ['server', '--data-dir', dataDir, '--listen', '127.0.0.1:0']
  const process_ = await startProcess([process.execPath, '--import', 'tsx', COMMAND, ...flags])
  await process_.waitForLine(/^ready: kubeconfig /, { timeoutMs: 20_000 })
  const { api: url } = JSON.parse(await readFile(join(dataDir, 'endpoints.json'), 'utf8'))
  const pki = await openPki(dataDir)
  return {
    process: process_,
    api: clientOf(Number(new URL(url).port), pki.caCertificate, await pki.adminCredentials()),
  }
}

test('kill -9 under writes: every write that was acknowledged is there, as it was acknowledged', async () => {
  const dataDir = tempDir()
  const first = await startProcessServer(dataDir)
  const acknowledged = new Map<string, Json>()
  let dead = false
  const writer = async (writerNo: number): Promise<void> => {
    for (let n = 0; !dead; n++) {
      const name = `w${writerNo}-${n % 20}.service`
      const path = `${UNITS}/${name}`
      const answer = await (n < 20
        ? first.api.ask('POST', UNITS, { body: unitBody(name) })
        : first.api.ask('PATCH', path, { type: MERGE, body: { metadata: { labels: { n: String(n) } } } })
      ).catch(() => undefined)
      if (answer === undefined) return
      assert.ok(answer.code < 300, answer.text)
      acknowledged.set(name, answer.body)
    }
  }
  const writing = Promise.all(Array.from({ length: 8 }, (_, n) => writer(n)))
  await until(() => acknowledged.size >= 120, { what: 'writes', timeoutMs: 20_000 })
  await first.process.crash()
  dead = true
  await writing
  first.api.close()

  const second = await startProcessServer(dataDir)
  const { items } = (await second.api.ask('GET', UNITS)).body
  const found = new Map<string, Json>(items.map((item: Json) => [item.metadata.name, item]))
  for (const [name, object] of acknowledged) {
    const now = found.get(name)
    const [was, is] = [object, now].map((one) => Number(one?.metadata.resourceVersion ?? 0))
    assert.ok((is ?? 0) >= (was ?? 0), `${name}: acknowledged at ${was}, found at ${is}`)
    if (is === was) assert.equal(now, object)
  }
  second.api.close()
  const { code } = await second.process.stop()
  assert.is(code, 0)
})

test.run()
