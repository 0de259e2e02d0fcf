import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type EtcdMember, startEtcd } from '../../support/etcd.ts'
import { openFaultyNetwork } from '../../support/faulty-network.ts'
import { suiteOf } from '../../support/requirements.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { diary, mustNotOverlap, runsOf, startLock } from './contender.ts'

const test = suiteOf('exclusion by lock', { needs: ['etcd'] })
const LONG = 2_000
const TTL = ['--ttl', '2s']
let etcd: EtcdMember

test.before(async () => {
  etcd = await startEtcd({ args: ['--enable-v2'] })
})
test.after(async () => {
  etcd.thaw()
  await etcd[Symbol.asyncDispose]()
})

const contend = (key: string, file: string, entries: number, url = etcd.url) =>
  startLock(['lock', key, ...TTL, '--endpoints', url, '--', ...diary(file, entries)])

test('six contenders never run at once, though etcd stands still for longer than the TTL', async () => {
  const file = join(tempDir(), 'diary')
  const holder = await contend('six', file, LONG)
  await until(() => runsOf(file).length === 1, { what: 'the first run' })
  const others = await Promise.all(Array.from({ length: 5 }, () => contend('six', file, 5)))
  await Promise.all(others.map((other) => other.waitForLine(/waiting for \/six: held by/)))
  etcd.freeze()
  assert.is((await holder.exited).code, 74, holder.lines.join('\n'))
  etcd.thaw()
  const exits = await Promise.all(others.map(({ exited }) => exited))
  assert.equal(
    exits.map(({ code }) => code),
    [0, 0, 0, 0, 0],
  )
  const runs = runsOf(file)
  assert.is(runs.length, 6)
  mustNotOverlap(runs)
})

test('the command of a holder that was killed is dead before the next one begins', async () => {
  const file = join(tempDir(), 'diary')
  const holder = await contend('killed', file, LONG)
  await until(() => runsOf(file).length === 1, { what: 'the first run' })
  const next = await contend('killed', file, 5)
  await next.waitForLine(/waiting/)
  await holder.crash()
  assert.is((await next.exited).code, 0)
  const runs = runsOf(file)
  assert.is(runs.length, 2)
  mustNotOverlap(runs)
})

test('a holder whose network is gone has ended its command before the next one begins', async () => {
  const file = join(tempDir(), 'diary')
  await using network = await openFaultyNetwork(Number(new URL(etcd.url).port))
  const holder = await contend('cut-off', file, LONG, `http://127.0.0.1:${network.port}`)
  await until(() => runsOf(file).length === 1, { what: 'the first run' })
  const next = await contend('cut-off', file, 5)
  await next.waitForLine(/waiting/)
  network.swallow()
  assert.is((await holder.exited).code, 74)
  assert.match(holder.lines.join('\n'), /could not be renewed before its TTL runs out/)
  assert.is((await next.exited).code, 0)
  const runs = runsOf(file)
  assert.is(runs.length, 2)
  mustNotOverlap(runs)
})

test.run()
