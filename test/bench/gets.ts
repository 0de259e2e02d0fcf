/** Reads of single objects through the API, and beside them etcd's linearizable reads of the same bytes. */
import { startFlotilla } from './flotilla/running.ts'
import { createIdle, getUnit } from './flotilla/units.ts'
import { atLeast, type Question, type Settings } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import type { Target } from './load/connection.ts'
import { runLoad } from './load/run.ts'
import { getV3, putV3, startEtcd } from './peers/etcd.ts'

const CONNECTIONS = [1, 32, 256]
const OBJECTS = 1_000
const OBJECT_BYTES = 1024
/** kube-apiserver 1.20.2 + etcd 3.4.23: gets a second, by connections. */
const REFERENCE: Readonly<Record<number, number>> = { 1: 812, 32: 3_355, 256: 4_706 }

interface Contender {
  readonly who: string
  readonly target: Target
  readonly request: string
  readonly isOurs: boolean
}

export const gets: Question = {
  name: 'gets',
  asks: `how many objects of ${OBJECT_BYTES} bytes are read a second, one a request?`,
  async run(settings) {
    await using flotilla = await startFlotilla(['server'])
    await using etcd = await startEtcd()
    await fill(flotilla.api, createIdle(flotilla.api, OBJECT_BYTES))
    await fill(etcd.target, putV3(etcd.target, OBJECT_BYTES))
    const contenders: Contender[] = [
      { who: 'flotilla', target: flotilla.api, request: getUnit(flotilla.api), isOurs: true },
      { who: 'etcd v3', target: etcd.target, request: getV3(etcd.target), isOurs: false },
    ]
    const figures = await rounds(settings.quick ? 1 : 3, settings.quick ? 0 : 1, async (collect) => {
      for (const connections of CONNECTIONS)
        for (const contender of contenders) await measure(collect, contender, connections, settings)
    })
    return {
      figures,
      references: [
        {
          what: 'kube-apiserver 1.20.2 + etcd 3.4.23: 812/s at 1 connection (p99 2.7 ms), 3 355/s at 32 (38 ms), 4 706/s at 256 (322 ms)',
          source: 'ConfigMaps of 1 KB over TLS on a box of this kind when it was quiet',
        },
      ],
      notes: [
        'ours over TLS with a client certificate; etcd without TLS through its JSON gateway; bars: as many as that kube-apiserver',
      ],
    }
  },
}

async function fill(target: Target, request: string): Promise<void> {
  const job = { do: 'burst', target, request, connections: 32, firstNumber: 0, requests: OBJECTS } as const
  const { refused } = await runLoad(job)
  if (Object.keys(refused).length > 0) throw new Error(`could not fill it: ${JSON.stringify(refused)}`)
}

async function measure(
  collect: Collector,
  { who, target, request, isOurs }: Contender,
  connections: number,
  { quick, say }: Settings,
): Promise<void> {
  say(`gets: ${who}, ${connections} connections`)
  const times = quick ? { warmupMs: 200, durationMs: 800 } : { warmupMs: 500, durationMs: 2_500 }
  const { requests, seconds, latencyMs, refused } = await runLoad({
    ...{ do: 'closed-loop', target, request, connections, firstNumber: 0, ring: OBJECTS },
    ...times,
  })
  if (Object.keys(refused).length > 0) throw new Error(`${who} refused: ${JSON.stringify(refused)}`)
  const reference = isOurs ? REFERENCE[connections] : undefined
  const at = `${connections} connection${connections === 1 ? '' : 's'}`
  collect.add(who, `get/s, ${at}`, '/s', requests / seconds, reference === undefined ? undefined : atLeast(reference))
  collect.add(who, `get p99, ${at}`, 'ms', latencyMs.p99)
}
