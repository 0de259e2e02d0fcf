/** Many open watches at a server's etcd v2 door: what they cost it, that all are told, and that none outlives its client. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RawConnection } from '../support/etcd-v2/raw-client.ts'
import { type Product, startProduct } from '../support/product.ts'
import { until } from '../support/until.ts'

/** Of the server alone; its sockets' memory in the kernel not counted. */
const MAX_BYTES_EACH = 40 * 1024
const AT_ONCE = 200
const PATIENCE_MS = 30_000

export function etcdV2WatchersSuite(name: string, count: number): void {
  const test = suite(name)
  let server: Product
  test.before(async () => {
    server = await startProduct(['server'])
  })
  test.after(async () => void (await server.stop()))

  test(`${count} open watches: bounded memory, one change tells all, and they go with their clients`, async () => {
    const url = server.endpoints.etcdV2 ?? ''
    const watchers = async () =>
      ((await (await fetch(`${url}/v2/stats/store`)).json()) as { watchers: number }).watchers
    const before = residentBytes(server)
    const single = await openWatches(url, '/v2/keys/many/key?wait=true', count / 2)
    const streams = await openWatches(url, '/v2/keys/many?wait=true&stream=true&recursive=true', count / 2)
    assert.is(await watchers(), count)
    const each = (residentBytes(server) - before) / count
    assert.ok(each < MAX_BYTES_EACH, `${Math.round(each / 1024)} KiB a watch`)
    console.log(`${count} watches: ${(each / 1024).toFixed(1)} KiB each`)
    await fetch(`${url}/v2/keys/many/key`, { method: 'PUT', body: new URLSearchParams({ value: 'told' }) })
    for (const connection of [...single, ...streams])
      assert.match((await connection.chunk(PATIENCE_MS)) ?? '', /"told"/)
    assert.is(await watchers(), count / 2)
    for (const connection of [...single, ...streams]) connection.close()
    await until(async () => (await watchers()) === 0, { what: 'all watchers gone', timeoutMs: PATIENCE_MS })
  })
  test.run()
}

async function openWatches(url: string, target: string, count: number): Promise<RawConnection[]> {
  const opened: RawConnection[] = []
  while (opened.length < count) {
    const size = Math.min(AT_ONCE, count - opened.length)
    const some = await Promise.all(Array.from({ length: size }, () => RawConnection.open(url)))
    for (const connection of some) connection.send({ method: 'GET', target })
    await Promise.all(some.map((connection) => connection.head()))
    opened.push(...some)
  }
  return opened
}

function residentBytes({ process: { pid } }: Product): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}
