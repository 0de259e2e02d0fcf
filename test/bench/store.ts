/** The store seam on both backends beside etcd itself; what the API server adds to it; and what many keys weigh. */
import { tempDir } from '../support/temp-dir.ts'
import { atLeast, type Question, type Settings } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import type { Target } from './load/connection.ts'
import { runLoad } from './load/run.ts'
import { putV3, startEtcd } from './peers/etcd.ts'
import { KEYS, type Place, READS_BESIDE, type SpeedResult, VALUE_BYTES } from './store-seam/job.ts'
import { measureManyKeys } from './store-seam/many-keys.ts'
import { measureOverhead } from './store-seam/overhead.ts'
import { runStore } from './store-seam/run.ts'

const WRITERS = [1, 16, READS_BESIDE, 1_000]
/** Of a single etcd member's durable puts, at 256 writers. */
const SHARE = atLeast(1.5)
const EMBEDDED = 'embedded store'

export const store: Question = {
  name: 'store',
  asks: 'how many durable puts of 1 KB does the store take a second, beside etcd, and what does the API add?',
  async run(settings) {
    const figures = await rounds(settings.quick ? 1 : 3, 0, async (collect, round) => {
      const speed = await speedRound(collect, settings)
      await measureOverhead(collect, settings, cpuMicros(speed, 32))
      if (round === 0) await measureManyKeys(collect, settings)
    })
    return {
      figures,
      notes: [
        'each store in a process of its own, one member of etcd on the same disk; etcd itself through the same gRPC client, one put a transaction; that client, not etcd, is what limits it at many writers, hence the gateway',
        'gets: 4 at a time beside the 256 writers, in the same process; embedded ones wait for the turn of the event loop, not for the disk',
        "the API's own processor time = the server's a request, less what the same put costs the store's process at as many writers; TLS, authorisation, validation, audit and the watch cache are in it",
      ],
    }
  },
}

const cpuMicros = ({ puts }: SpeedResult, writers: number) =>
  puts.find((each) => each.writers === writers)?.cpuMicrosPerPut ?? Number.NaN

/** Everybody begins with an empty disk; what the embedded store took. */
async function speedRound(collect: Collector, settings: Settings): Promise<SpeedResult> {
  const embedded = await measure(collect, settings, EMBEDDED, { kind: 'embedded', folder: tempDir() })
  const results = new Map<string, SpeedResult>([[EMBEDDED, embedded]])
  let gatewayRate = 0
  for (const kind of ['etcd', 'raw etcd'] as const) {
    await using etcd = await startEtcd()
    const { host, port } = etcd.target
    const who = kind === 'etcd' ? 'store on etcd' : 'etcd itself'
    results.set(who, await measure(collect, settings, who, { kind, url: `http://${host}:${port}` }))
    if (kind === 'raw etcd') gatewayRate = await throughGateway(collect, settings, etcd.target)
  }
  const rateOf = (who: string) => results.get(who)?.puts.find(({ writers }) => writers === READS_BESIDE)?.perSecond ?? 0
  const what = `put rate in the same round, ${READS_BESIDE} writers`
  const best = Math.max(rateOf('etcd itself'), gatewayRate)
  collect.add(`${EMBEDDED} ÷ etcd itself, the faster door`, what, '×', rateOf(EMBEDDED) / best, SHARE)
  collect.add('store on etcd ÷ etcd itself', what, '×', rateOf('store on etcd') / rateOf('etcd itself'))
  return embedded
}

/** etcd's own rate where our gRPC client is what limits it: plain HTTP requests from a process of their own. */
async function throughGateway(collect: Collector, { quick }: Settings, target: Target): Promise<number> {
  const request = putV3(target, VALUE_BYTES)
  const times = { warmupMs: 500, durationMs: quick ? 800 : 3_000 }
  const job = { do: 'closed-loop', target, request, connections: READS_BESIDE, firstNumber: 0, ring: KEYS } as const
  const { requests, seconds } = await runLoad({ ...job, ...times })
  collect.add('etcd itself, JSON gateway', `put/s, ${READS_BESIDE} writers`, '/s', requests / seconds)
  return requests / seconds
}

async function measure(collect: Collector, { quick, say }: Settings, who: string, place: Place): Promise<SpeedResult> {
  say(`store: ${who}`)
  // 32 as well: the API's overhead is measured with as many connections.
  const writers = place.kind === 'embedded' ? [...WRITERS, 32] : WRITERS
  const result = await runStore({ do: 'speed', place, writers, durationMs: quick ? 800 : 3_000 })
  for (const { writers, perSecond, latencyMs } of result.puts.filter(({ writers }) => WRITERS.includes(writers))) {
    const at = `${writers} writer${writers === 1 ? '' : 's'}`
    collect.add(who, `put/s, ${at}`, '/s', perSecond)
    collect.add(who, `put p99, ${at}`, 'ms', latencyMs.p99)
  }
  collect.add(who, `get p50 beside ${READS_BESIDE} writers`, 'ms', result.getMs.p50)
  collect.add(who, `get p99 beside ${READS_BESIDE} writers`, 'ms', result.getMs.p99)
  collect.add(who, 'range of 10 000 keys', 'ms', result.rangeMs.p50)
  collect.add(who, 'replay of 10 000 events', 'ms', result.replayMs)
  return result
}
