/** The etcd v2 door beside etcd's own: durable writes and reads of single keys, in turn, on one disk. */
import { startFlotilla } from './flotilla/running.ts'
import { hostOf } from './flotilla/units.ts'
import { atLeast, type Question, type Settings } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import type { Target } from './load/connection.ts'
import { runLoad } from './load/run.ts'
import { requestText } from './load/template.ts'
import { getV2, putV2, startEtcd } from './peers/etcd.ts'

const CONNECTIONS = [1, 64, 256]
const VALUE_BYTES = 256
const KEYS = 1_000
/** On one key, from one client process. */
const WAITERS = [1, 10_000]
/** Design §8: as fast as etcd in company; alone, a durable write costs two syncs here. */
const BARS: Readonly<Record<string, (connections: number) => number>> = {
  put: (connections) => (connections === 1 ? 0.5 : 1),
  get: (connections) => (connections === 1 ? 0.7 : 1),
}

interface Contender {
  readonly who: 'flotilla' | 'etcd v2'
  readonly target: Target
}

export const etcdV2: Question = {
  name: 'etcd-v2',
  asks: `how many keys with values of ${VALUE_BYTES} bytes are put (each answered when it is on disk) and got a second through /v2/keys?`,
  async run(settings) {
    return {
      figures: await rounds(settings.quick ? 1 : 3, 0, (collect) => round(collect, settings)),
      notes: ['both without TLS, both with fsync before the answer; the clients run on the same processors'],
    }
  },
}

async function round(collect: Collector, settings: Settings): Promise<void> {
  await using flotilla = await startFlotilla(['server'])
  await using etcd = await startEtcd()
  const contenders: Contender[] = [
    { who: 'flotilla', target: targetOf(flotilla.endpoints.etcdV2 ?? '') },
    { who: 'etcd v2', target: etcd.target },
  ]
  for (const contender of contenders) {
    await measure(contender, 'put', 32, { ...settings, quick: true })
    await measure(contender, 'get', 32, { ...settings, quick: true })
  }
  for (const connections of CONNECTIONS)
    for (const what of ['put', 'get'] as const) await compare(collect, contenders, what, connections, settings)
  for (const waiters of WAITERS) for (const contender of contenders) await measureWake(collect, contender, waiters)
}

async function measureWake(collect: Collector, { who, target }: Contender, waiters: number): Promise<void> {
  const host = hostOf(target)
  const path = '/v2/keys/bench/awaited'
  const type = 'application/x-www-form-urlencoded'
  const wait = requestText({ method: 'GET', path: `${path}?wait=true`, host })
  const write = requestText({ method: 'PUT', path, host, type, body: 'value=now' })
  const { wakeMs } = await runLoad({ do: 'wake', target, waiters, wait, write })
  collect.add(who, `wake-up of ${waiters} who wait on one key, p50`, 'ms', wakeMs.p50)
  collect.add(who, `wake-up of ${waiters} who wait on one key, the last`, 'ms', wakeMs.max)
}

function targetOf(url: string): Target {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

async function compare(
  collect: Collector,
  contenders: readonly Contender[],
  what: 'put' | 'get',
  connections: number,
  settings: Settings,
): Promise<void> {
  const at = `${connections} connection${connections === 1 ? '' : 's'}`
  const rates = new Map<string, number>()
  for (const contender of contenders) {
    settings.say(`etcd-v2: ${what}, ${contender.who}, ${at}`)
    const { perSecond, p99Ms } = await measure(contender, what, connections, settings)
    collect.add(contender.who, `${what}/s, ${at}`, '/s', perSecond)
    collect.add(contender.who, `${what} p99, ${at}`, 'ms', p99Ms)
    rates.set(contender.who, perSecond)
  }
  const share = (rates.get('flotilla') ?? Number.NaN) / (rates.get('etcd v2') ?? Number.NaN)
  const bar = atLeast(BARS[what]?.(connections) ?? 1)
  collect.add('flotilla ÷ etcd v2', `${what} rate in the same round, ${at}`, '×', share, bar)
}

async function measure(
  { who, target }: Contender,
  what: 'put' | 'get',
  connections: number,
  { quick }: Settings,
): Promise<{ perSecond: number; p99Ms: number }> {
  const request = what === 'put' ? putV2(target, VALUE_BYTES) : getV2(target)
  const times = quick ? { warmupMs: 200, durationMs: 800 } : { warmupMs: 500, durationMs: 2_000 }
  const job = { do: 'closed-loop', target, request, connections, firstNumber: 0, ring: KEYS } as const
  const { requests, seconds, latencyMs, refused } = await runLoad({ ...job, ...times })
  if (Object.keys(refused).length > 0) throw new Error(`${who} refused: ${JSON.stringify(refused)}`)
  return { perSecond: requests / seconds, p99Ms: latencyMs.p99 }
}
