/** Lists of many objects in one answer, and beside them etcd's range over the same bytes. */
import { startFlotilla } from './flotilla/running.ts'
import { createIdle, hostOf, UNITS } from './flotilla/units.ts'
import { atLeast, type Question, type Settings } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import type { Target } from './load/connection.ts'
import { runLoad } from './load/run.ts'
import { requestText } from './load/template.ts'
import { putV3, rangeV3, startEtcd } from './peers/etcd.ts'

const OBJECTS = 10_000
const OBJECT_BYTES = 1024
/** kube-apiserver: 4.1 lists a second; design §8 asks for three times that. */
const LISTS = atLeast(3 * 4.1)

export const list: Question = {
  name: 'list',
  asks: `how often a second can one client list ${OBJECTS} objects?`,
  async run(settings) {
    await using flotilla = await startFlotilla(['server'])
    await using etcd = await startEtcd()
    const api = flotilla.api
    await fill(api, createIdle(api, OBJECT_BYTES))
    await fill(etcd.target, putV3(etcd.target, OBJECT_BYTES))
    const ours = requestText({ method: 'GET', path: UNITS, host: hostOf(api) })
    const figures = await rounds(settings.quick ? 1 : 5, settings.quick ? 0 : 1, async (collect) => {
      await measure(collect, 'flotilla', api, ours, settings)
      await measure(collect, 'etcd v3', etcd.target, rangeV3(etcd.target), settings)
    })
    return {
      figures,
      references: [
        {
          what: 'kube-apiserver 1.20.2 + etcd 3.4.23: 4.1 lists/s, p50 203 ms (13.4 MB)',
          source: 'ConfigMaps of 1 KB over TLS, on a box of this kind when it was quiet',
        },
      ],
      notes: ['etcd answers without TLS, with its values as base64 in JSON'],
    }
  },
}

async function fill(target: Target, request: string): Promise<void> {
  const { refused } = await runLoad({
    do: 'burst',
    target,
    request,
    connections: 32,
    firstNumber: 0,
    requests: OBJECTS,
  })
  if (Object.keys(refused).length > 0) throw new Error(`could not fill it: ${JSON.stringify(refused)}`)
}

async function measure(
  collect: Collector,
  who: string,
  target: Target,
  request: string,
  { quick }: Settings,
): Promise<void> {
  const common = { do: 'closed-loop', target, request, connections: 1, firstNumber: 0 } as const
  const times = { warmupMs: 500, durationMs: quick ? 1_000 : 3_000 }
  const { requests, seconds, latencyMs, answerBytes } = await runLoad({ ...common, ...times })
  const bar = who === 'flotilla' ? LISTS : undefined
  collect.add(who, `lists of ${OBJECTS}`, '/s', requests / seconds, bar)
  collect.add(who, `list p50`, 'ms', latencyMs.p50)
  collect.add(who, `answer`, 'MB', answerBytes / requests / 1e6)
}
