/** The informer against the real API server and its restarts: no change is lost and none is told twice. */
import { KubeConfig } from '@kubernetes/client-node'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { aborted } from '../../controllers/lib/clock.ts'
import { createInformer, type Informer } from '../../controllers/lib/informer.ts'
import { createElection } from '../../controllers/lib/leader.ts'
import { EVENT_NAMESPACE } from '../../crds/group.ts'
import { Machine } from '../../crds/machine.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const test = suite('informer and election with a real API server')

interface Setup {
  readonly server: ApiServer
  readonly client: ApiClient
  /** Stops the server; the returned function starts it on the same port and data. */
  stopServer(): Promise<() => Promise<void>>
}

async function withServer(use: (setup: Setup) => Promise<void>): Promise<void> {
  const dataDir = tempDir()
  const start = (listen: string) => startApiServer({ dataDir, listen, store: 'embedded', log })
  let server = await start('127.0.0.1:0')
  const client = connect({ kubeconfigPath: server.kubeconfigPath })
  const stopServer = async () => {
    await server.close()
    return async () => {
      server = await start(new URL(server.url).host)
    }
  }
  try {
    await use({ server, client, stopServer })
  } finally {
    await client.close()
    await server.close()
  }
}

async function withInformer(client: ApiClient, use: (informer: Informer<Machine>, told: string[]) => Promise<void>) {
  const told: string[] = []
  const informer = createInformer({ client, kind: Machine, log, onChange: (key) => told.push(key) })
  const stop = new AbortController()
  const running = informer.start(stop.signal)
  try {
    await use(informer, told)
  } finally {
    stop.abort()
    await running
  }
}

test('after restarts of the server every change is there once', () =>
  withServer(async ({ client, stopServer }) => {
    await client.create(Machine, { metadata: { name: 'm0' } })
    await withInformer(client, async (informer, told) => {
      await informer.ready
      for (let round = 1; round <= 3; round++) {
        await client.create(Machine, { metadata: { name: `m${round}` } })
        await until(() => informer.get(`m${round}`), { what: 'the machine made before the restart' })
        const startServer = await stopServer()
        await startServer()
        const label = { metadata: { labels: { round: `${round}` } } }
        await until(() => client.patch(Machine, 'm0', { type: 'merge', body: label }), { what: 'the server back' })
        const isSeen = () => informer.get('m0')?.metadata.labels?.round === `${round}`
        await until(isSeen, { what: 'the change after the restart', timeoutMs: 8_000 })
      }
      assert.equal(told, ['m0', 'm1', 'm0', 'm2', 'm0', 'm3', 'm0'])
    })
  }))

test('a leader that dies without a word is followed within five seconds', () =>
  withServer(async ({ server, client }) => {
    const kubeconfig = new KubeConfig()
    kubeconfig.loadFromFile(server.kubeconfigPath)
    const ownClient = connect({ kubeconfig })
    const contend = (identity: string, c: ApiClient, signal: AbortSignal) => {
      const lead = () => ({ name: 'work', start: aborted })
      const election = createElection({ client: c, identity, log, lead, name: 'test', namespace: EVENT_NAMESPACE })
      return { election, running: election.start(signal) }
    }
    const stop = new AbortController()
    const first = contend('first', ownClient, stop.signal)
    await until(first.election.isLeader, { what: 'the first leads' })
    const second = contend('second', client, stop.signal)
    const diedMs = performance.now()
    // From here on it can neither renew nor give back: for the others that is what kill -9 looks like.
    await ownClient.close()
    let sawTwo = false
    const isFollowed = () => {
      sawTwo ||= first.election.isLeader() && second.election.isLeader()
      return second.election.isLeader()
    }
    await until(isFollowed, { what: 'the second leads', timeoutMs: 6_000 })
    const tookMs = performance.now() - diedMs
    assert.ok(tookMs < 5_000, `took ${tookMs.toFixed(0)} ms`)
    assert.not.ok(sawTwo, 'two leaders at once')
    assert.not.ok(first.election.isLeader(), 'the first knows that it lost')
    stop.abort()
    await Promise.all([first.running, second.running])
  }))

test.run()
