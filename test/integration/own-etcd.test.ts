// deadline: 90 s
/** From one machine to three: servers that begin, join, lose and leave an etcd of their own, while eight write. */
import * as assert from 'uvu/assert'
import type { ApiClient } from '../../controllers/lib/client.ts'
import { EndpointSlice } from '../../crds/index.ts'
import {
  etcdPid,
  isRunning,
  joinServer,
  memberNotes,
  startAgain,
  startFirst,
  startWriters,
  type Writers,
} from '../support/own-etcd.ts'
import { flotilla, type Product } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

/** Promised for the loss of any one of three. */
const LONGEST_GAP_MS = 2_500

const servers: Product[] = []
const targets: (ApiClient | undefined)[] = []
let writers: Writers
const test = suiteOf('own etcd: from one machine to three', { needs: ['etcd'] })

function put(at: number, server: Product): void {
  servers[at] = server
  targets[at] = server.admin
}

const server = (at: number): Product => servers[at] as Product

test.before(async () => {
  put(0, await startFirst())
  writers = startWriters(targets)
})

test.after(async () => {
  await writers?.stop()
  // They would wait for each other's majority; how they stop is another test's.
  for (const { admin, process: running } of servers) {
    await admin.close()
    await running.crash()
  }
})

async function moreWrites(count: number): Promise<void> {
  const enough = writers.acknowledged + count
  await until(() => writers.acknowledged >= enough, { what: `${count} more writes`, timeoutMs: 15_000 })
}

interface Listed {
  readonly name: string
  readonly role: string
  readonly answers: boolean
}

async function members(): Promise<readonly Listed[]> {
  const { stdout, stderr } = await flotilla(['cluster', 'members', '-o', 'json'], server(0))
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

const roles = async () => (await members()).map(({ role }) => role).toSorted()

test('two servers join at once while others write, and no write waits for it', async () => {
  await moreWrites(20)
  writers.takeLongestGapMs()
  const { kubeconfig } = server(0)
  const joined = await Promise.all([joinServer(kubeconfig), joinServer(kubeconfig)])
  for (const [i, each] of joined.entries()) put(i + 1, each)
  const gapMs = writers.takeLongestGapMs()
  await moreWrites(20)
  assert.equal(await roles(), ['leader', 'member', 'member'])
  assert.equal(
    servers.map(({ dataDir }) => memberNotes(dataDir).phase),
    ['member', 'member', 'member'],
  )
  assert.ok(gapMs <= LONGEST_GAP_MS, `${gapMs} ms without a write`)
  console.log(`joined after ${joined.map(({ readyAfterMs }) => Math.round(readyAfterMs))} ms, longest gap ${gapMs} ms`)
})

for (const at of [0, 1, 2])
  test(`server ${at + 1} of 3 is killed with its etcd: writes go on, and it comes back`, async () => {
    const { dataDir } = server(at)
    const pid = etcdPid(dataDir)
    writers.takeLongestGapMs()
    targets[at] = undefined
    await server(at).process.crash()
    await moreWrites(50)
    const gapMs = writers.takeLongestGapMs()
    await until(() => !isRunning(pid), { what: 'the end of its etcd', timeoutMs: 2_000 })
    put(at, await startAgain(dataDir))
    assert.ok(gapMs <= LONGEST_GAP_MS, `${gapMs} ms without a write`)
    console.log(`longest gap ${gapMs} ms`)
  })

test('whatever was acknowledged is on every server', async () => {
  await moreWrites(20)
  await writers.stop()
  for (const { admin } of servers) await writers.check(admin)
})

test('an etcd that dies alone is started again by its server', async () => {
  const { dataDir } = server(1)
  const before = etcdPid(dataDir)
  process.kill(before, 'SIGKILL')
  await until(() => etcdPid(dataDir) !== before, { what: 'another etcd' })
  await until(async () => (await members()).every(({ answers }) => answers), { what: 'three that answer' })
})

test('the servers announce themselves, and drop one that has died', async () => {
  const ports = async () => {
    const { items } = await server(0).admin.list(EndpointSlice, { namespace: 'default' })
    return items.flatMap((slice) => (slice.ports ?? []).map(({ port }) => String(port))).toSorted()
  }
  const portOf = ({ endpoints }: Product) => new URL(endpoints.api ?? '').port
  await until(async () => String(await ports()) === String(servers.map(portOf).toSorted()), {
    what: 'all three announced, and none that was before',
    timeoutMs: 15_000,
  })
})

test('a member leaves: not while the others need it, else its server goes on through theirs', async () => {
  const { name } = memberNotes(server(2).dataDir)
  assert.match(
    (await flotilla(['cluster', 'remove', 'nobody'], server(0))).stderr,
    /there is no member nobody; there are/,
  )
  const { code, stdout, stderr } = await flotilla(['cluster', 'remove', name], server(0))
  assert.is(code, 0, stderr)
  assert.is(stdout, `${name} removed from the cluster\n`)
  // The one that left may have been the leader: the others elect another one.
  await until(async () => (await roles()).join() === 'leader,member', { what: 'a leader among those that remain' })
  await writers.check(server(2).admin)
  await server(1).process.crash()
  const refused = await flotilla(['cluster', 'remove', memberNotes(server(0).dataDir).name], server(0))
  assert.is(refused.code, 1)
  assert.match(refused.stderr, /was not removed: of the 1 that would remain 1 must answer/)
})

test.run()
