/** kill -9 of a server on the embedded store, in the middle of many writes through its etcd v2 door. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Product, startProduct } from '../support/product.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const WRITERS = 32
const WRITTEN_BEFORE_KILL = 400

interface Written {
  readonly index: number
  readonly value: string
}

/** What was acknowledged, by key. */
type Acknowledged = Map<string, Written>

interface Answer {
  readonly node?: { readonly modifiedIndex: number; readonly value?: string; readonly nodes?: readonly Listed[] }
}

interface Listed {
  readonly key: string
  readonly value: string
  readonly modifiedIndex: number
}

export function etcdV2KillsSuite(name: string, rounds: number): void {
  const test = suite(name)
  test(`of ${rounds} kills no acknowledged write is lost, and no index comes twice`, async () => {
    const dataDir = tempDir()
    const acknowledged: Acknowledged = new Map()
    const indices = new Set<number>()
    let host = '127.0.0.1:0'
    for (let round = 0; round < rounds; round += 1) {
      const server = await startProduct(['server', '--legacy-listen', host], { dataDir })
      host = new URL(server.endpoints.etcdV2 ?? '').host
      await checkAll(host, acknowledged)
      await writeUntilKilled(server, { host, round, acknowledged, indices })
    }
    const server = await startProduct(['server', '--legacy-listen', host], { dataDir })
    await checkAll(host, acknowledged)
    const { node } = await put(host, 'last', 'x')
    assert.ok((node?.modifiedIndex ?? 0) > Math.max(...indices), 'the index goes on behind everything acknowledged')
    await server.stop()
  })
  test.run()
}

async function put(host: string, key: string, value: string): Promise<Answer> {
  const body = new URLSearchParams({ value })
  const answer = await fetch(`http://${host}/v2/keys/kill/${key}`, { method: 'PUT', body })
  assert.ok(answer.ok)
  return (await answer.json()) as Answer
}

async function checkAll(host: string, acknowledged: Acknowledged): Promise<void> {
  const answer = await fetch(`http://${host}/v2/keys/kill`)
  const { node } = (await answer.json()) as Answer
  const listed = new Map((node?.nodes ?? []).map((each) => [each.key, each]))
  for (const [key, { index, value }] of acknowledged) {
    const found = listed.get(`/kill/${key}`)
    assert.ok(found, `${key} was acknowledged at ${index}`)
    // One that was on its way when the server died may have come after it.
    if (found.value !== value) assert.ok(found.modifiedIndex > index, `${key} went back from ${index}`)
    else assert.is(found.modifiedIndex, index)
  }
}

interface Round {
  readonly host: string
  readonly round: number
  readonly acknowledged: Acknowledged
  readonly indices: Set<number>
}

async function writeUntilKilled(server: Product, { host, round, acknowledged, indices }: Round): Promise<void> {
  let count = 0
  const write = async (writer: number) => {
    for (let i = 0; ; i += 1) {
      const [key, value] = [`${writer}-${i % 50}`, `${round}-${i}`]
      const answer = await put(host, key, value).catch(() => undefined)
      const index = answer?.node?.modifiedIndex
      if (index === undefined) return
      assert.not(indices.has(index), `index ${index} twice`)
      indices.add(index)
      acknowledged.set(key, { index, value })
      count += 1
    }
  }
  const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
  await until(() => count >= WRITTEN_BEFORE_KILL, { what: 'writes to be acknowledged' })
  await server.admin.close()
  await server.process.crash()
  await writing
}
