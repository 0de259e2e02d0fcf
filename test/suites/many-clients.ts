/** Thousands of clients that hold on to the server and do nothing: a short form for every run, a long one for `test:faults`. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerTimesMs, type Door, doorOf, metricOf, openConnections, openWatches } from '../support/idle-clients.ts'
import { startProcess } from '../support/process.ts'
import { type Product, startProduct } from '../support/product.ts'
import { until } from '../support/until.ts'

export interface Counts {
  readonly connections: number
  readonly watches: number
}

const UNITS = '/apis/flotilla.dev/v1/units?watch=1'
const KIB = 1024
/** TLS state, parser and buffers of a connection that has nothing to do. */
const MOST_KIB_PER_CONNECTION = 110
const LONGEST_ANSWER_MS = 100
const ANSWERS = 50
const SETTLE_TIMEOUT_MS = 20_000

interface Server {
  readonly product: Product
  readonly door: Door
  readonly name: string
}

const rssBytes = ({ door }: Server) => metricOf(door, 'process_resident_memory_bytes')
const openFiles = ({ door }: Server) => metricOf(door, 'process_open_fds')
const watchCount = ({ door }: Server) => metricOf(door, 'apiserver_longrunning_requests')
const medianAnswerMs = async ({ door }: Server) => (await answerTimesMs(door, ANSWERS))[ANSWERS / 2] ?? Number.NaN

function noWatchIsLeft(server: Server, before: number): Promise<unknown> {
  const isGone = async () => (await watchCount(server)) === before
  return until(isGone, { what: 'no watch to be left', timeoutMs: SETTLE_TIMEOUT_MS })
}

async function holdConnections(server: Server, connections: number): Promise<void> {
  const { door, name } = server
  // What the server allocates once is not these connections'.
  for (const count of [1, 200]) for (const socket of await openConnections(door, count)) socket.destroy()
  const [before, filesBefore] = [await rssBytes(server), await openFiles(server)]
  const begunMs = performance.now()
  const sockets = await openConnections(door, connections)
  const tookS = ((performance.now() - begunMs) / 1000).toFixed(1)
  const kib = ((await rssBytes(server)) - before) / connections / KIB
  const medianMs = await medianAnswerMs(server)
  assert.ok((await openFiles(server)) >= filesBefore + connections - 200, 'they are all held')
  console.log(`${name}: ${connections} in ${tookS} s, ${kib.toFixed(0)} KiB each, answer in ${medianMs.toFixed(1)} ms`)
  assert.ok(kib < MOST_KIB_PER_CONNECTION, `${kib.toFixed(0)} KiB per connection`)
  assert.ok(medianMs < LONGEST_ANSWER_MS, `${medianMs.toFixed(0)} ms`)
  for (const socket of sockets) socket.destroy()
  const isFreed = async () => (await openFiles(server)) < filesBefore + 50
  await until(isFreed, { what: 'the connections to be freed', timeoutMs: SETTLE_TIMEOUT_MS })
}

async function holdWatches(server: Server, watches: number): Promise<void> {
  const { door, name } = server
  const [rss, before] = [await rssBytes(server), await watchCount(server)]
  const watchersBefore = await metricOf(door, 'flotilla_cache_watchers')
  const letGo = await openWatches(door, UNITS, watches)
  assert.is(await watchCount(server), before + watches)
  const kib = ((await rssBytes(server)) - rss) / watches / KIB
  const medianMs = await medianAnswerMs(server)
  console.log(`${name}: ${watches} watches, ${kib.toFixed(0)} KiB each, answer in ${medianMs.toFixed(1)} ms`)
  assert.ok(medianMs < LONGEST_ANSWER_MS, `${medianMs.toFixed(0)} ms`)
  letGo()
  await noWatchIsLeft(server, before)
  assert.is(await metricOf(door, 'flotilla_cache_watchers'), watchersBefore)
}

async function killWatcher(server: Server, watches: number): Promise<void> {
  const before = await watchCount(server)
  const program = new URL('../support/watch-holder.ts', import.meta.url).pathname
  const argv = [process.execPath, '--import', 'tsx', program, server.product.kubeconfig, UNITS, `${watches}`]
  const client = await startProcess(argv)
  await client.waitForLine(/^holding/, { timeoutMs: SETTLE_TIMEOUT_MS })
  assert.is(await watchCount(server), before + watches)
  await client.crash()
  await noWatchIsLeft(server, before)
}

export function manyClientsSuite(name: string, { connections, watches }: Counts): void {
  const test = suite<{ server: Server }>(name)
  test.before(async (context) => {
    const product = await startProduct(['server'])
    context.server = { product, name, door: doorOf(product.kubeconfig) }
  })
  test.after(async ({ server }) => void (await server.product.stop()))
  test(`${connections} idle connections cost little, and others are answered at once`, ({ server }) =>
    holdConnections(server, connections))
  test(`${watches} idle watches cost little, and are freed when their clients go`, ({ server }) =>
    holdWatches(server, watches))
  test('a client that is killed with its watches open leaves none behind', ({ server }) =>
    killWatcher(server, Math.min(watches, 200)))
  test.run()
}
