/** The API server on disks that are full or read-only. What a failing disk does to the store itself: test/faults. */
import * as assert from 'uvu/assert'
import { type ApiClient, isApiError } from '../../controllers/lib/client.ts'
import { ConfigMap } from '../../crds/index.ts'
import { runProcess } from '../support/process.ts'
import { BUNDLE, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { smallTmpfs } from '../support/small-disk.ts'

const IN = { namespace: 'default' }
const test = suiteOf('API server: full and read-only disks', { needs: ['root'] })

const create = (client: ApiClient, name: string, bytes: number) =>
  client.create(ConfigMap, { metadata: { name }, data: { filling: 'x'.repeat(bytes) } }, IN)

/** Creates until one is refused; the refusal and how many there were. */
async function createUntilRefused(client: ApiClient) {
  for (let count = 0; count < 1_000; count++) {
    const refusal = await create(client, `fill-${count}`, 200_000).catch((error: unknown) => error)
    if (refusal instanceof Error) return { refusal, count }
  }
  throw new Error('nothing was refused')
}

test('on a full disk writes are refused with a Status that says so; reads, watches and a restart go on; space mends it', async () => {
  await using disk = await smallTmpfs(32)
  const acknowledged = await (async () => {
    await using server = await startProduct(['server'], { dataDir: disk.folder })
    disk.fill()
    const { refusal, count } = await createUntilRefused(server.admin)
    assert.ok(isApiError(refusal), String(refusal))
    assert.is(refusal.code, 503)
    assert.match(refusal.message, /the disk of the store is full; nothing was written, reads go on/)
    const { items } = await server.admin.list(ConfigMap, IN)
    assert.is(items.filter(({ metadata }) => metadata.name.startsWith('fill-')).length, count)
    await server.process.crash()
    return count
  })()
  disk.free()
  await using again = await startProduct(['server'], { dataDir: disk.folder })
  const { items } = await again.admin.list(ConfigMap, IN)
  assert.is(items.filter(({ metadata }) => metadata.name.startsWith('fill-')).length, acknowledged)
  await create(again.admin, 'after', 10)
})

test('on a read-only disk the server says so in a sentence and ends', async () => {
  await using disk = await smallTmpfs(32)
  await (await startProduct(['server'], { dataDir: disk.folder })).stop()
  assert.is((await runProcess(['mount', '-o', 'remount,ro', disk.folder])).code, 0)
  const argv = [process.execPath, BUNDLE, 'server', '--listen', '127.0.0.1:0', '--data-dir', disk.folder]
  const { code, stderr } = await runProcess(argv)
  assert.is.not(code, 0)
  assert.match(stderr, /read-only file system/)
  assert.not.match(stderr, / {4}at /)
})

test.run()
