/** Lists in one answer, as objects and as kubectl's tables, and beside them etcd's range over the same bytes. */
import { startFlotilla } from './flotilla/running.ts'
import { createIdle, hostOf, UNITS } from './flotilla/units.ts'
import { atLeast, type Bar, type Question, type Settings } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import type { Target } from './load/connection.ts'
import { runLoad } from './load/run.ts'
import { requestText } from './load/template.ts'
import { putV3, rangeV3, startEtcd } from './peers/etcd.ts'

const OBJECTS = 10_000
/** What kubectl asks for at once. */
const PAGE = 500
const OBJECT_BYTES = 1024
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
/** kube-apiserver: 4.1 lists a second; design §8 asks for three times that. */
const LISTS = atLeast(3 * 4.1)

interface Listing {
  readonly who: string
  readonly what: string
  readonly target: Target
  readonly request: string
  readonly bar?: Bar
}

export const list: Question = {
  name: 'list',
  asks: `how often a second can one client list ${OBJECTS} objects, or a page of ${PAGE} of them, also as a Table?`,
  async run(settings) {
    await using flotilla = await startFlotilla(['server'])
    await using etcd = await startEtcd()
    await fill(flotilla.api, createIdle(flotilla.api, OBJECT_BYTES))
    await fill(etcd.target, putV3(etcd.target, OBJECT_BYTES))
    const listings = listingsOf(flotilla.api, etcd.target)
    const figures = await rounds(settings.quick ? 1 : 5, settings.quick ? 0 : 1, async (collect) => {
      for (const listing of listings) await measure(collect, listing, settings)
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

function listingsOf(api: Target, etcd: Target): Listing[] {
  const ours = (path: string, accept?: string) =>
    requestText({ method: 'GET', path, host: hostOf(api), ...(accept && { accept }) })
  const page = `${UNITS}?limit=${PAGE}`
  const who = 'flotilla'
  return [
    { who, what: `lists of ${OBJECTS}`, target: api, request: ours(UNITS), bar: LISTS },
    { who: 'etcd v3', what: `lists of ${OBJECTS}`, target: etcd, request: rangeV3(etcd) },
    { who, what: `Tables of ${OBJECTS}`, target: api, request: ours(UNITS, TABLE) },
    { who, what: `lists of ${PAGE}`, target: api, request: ours(page) },
    { who: 'etcd v3', what: `lists of ${PAGE}`, target: etcd, request: rangeV3(etcd, PAGE) },
    { who, what: `Tables of ${PAGE}`, target: api, request: ours(page, TABLE) },
  ]
}

async function fill(target: Target, request: string): Promise<void> {
  const job = { do: 'burst', target, request, connections: 32, firstNumber: 0, requests: OBJECTS } as const
  const { refused } = await runLoad(job)
  if (Object.keys(refused).length > 0) throw new Error(`could not fill it: ${JSON.stringify(refused)}`)
}

async function measure(collect: Collector, listing: Listing, { quick, say }: Settings): Promise<void> {
  const { who, what, target, request, bar } = listing
  say(`list: ${who}, ${what}`)
  const common = { do: 'closed-loop', target, request, connections: 1, firstNumber: 0 } as const
  const times = { warmupMs: 500, durationMs: quick ? 1_000 : 2_500 }
  const { requests, seconds, latencyMs, answerBytes, refused } = await runLoad({ ...common, ...times })
  if (Object.keys(refused).length > 0) throw new Error(`${who} refused: ${JSON.stringify(refused)}`)
  collect.add(who, what, '/s', requests / seconds, bar)
  collect.add(who, `${what}, p50`, 'ms', latencyMs.p50)
  collect.add(who, `${what}, answer`, 'MB', answerBytes / requests / 1e6)
}
