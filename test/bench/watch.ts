/** A thousand watchers of the same objects while these change a hundred times a second, and one more that never reads. */
import { listUnits } from './flotilla/call.ts'
import { peakOf, processorSeconds, residentMB } from './flotilla/proc.ts'
import { type Flotilla, startFlotilla } from './flotilla/running.ts'
import { createIdle, hostOf, UNITS, unitName } from './flotilla/units.ts'
import { atMost, type Bar, type Question, type Settings, type Unit } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import { runLoad, runWatch } from './load/run.ts'
import { stalledWatch } from './load/stalled.ts'
import { NUMBER, requestText, STAMP } from './load/template.ts'

const WATCHERS = 1_000
const CHANGES_PER_SECOND = 100
const OBJECTS = 100
const ANNOTATION = 'bench.flotilla.dev/sent-at'
const MINUTE_MS = 60_000
const DELIVERY_P99_MS = atMost(250)
const NONE = atMost(0)

export const watch: Question = {
  name: 'watch',
  asks: `${WATCHERS} watchers, ${CHANGES_PER_SECOND} changes a second: how late does a change arrive, and does each?`,
  async run(settings) {
    return {
      figures: await rounds(settings.quick ? 1 : 2, 0, (collect) => round(collect, settings)),
      references: [
        {
          what: 'kube-apiserver 1.20.2 + etcd 3.4.23: delivery p50 1.54 s, p99 3.48 s, 904 MB RSS',
          source: 'the same numbers of watchers and changes, on a box of this kind when it was quiet',
        },
      ],
      notes: [
        'one watcher more asks and never reads; in a minute it gets less than the kernel holds for it, so it is not cut (tests cut one)',
        'delivery = from the sending of the write to its arrival; the thousand readers share the processors with us',
      ],
    }
  },
}

async function round(collect: Collector, settings: Settings): Promise<void> {
  await using flotilla = await startFlotilla(['server'])
  const { api, pid } = flotilla
  const common = { target: api, firstNumber: 0 }
  await runLoad({ ...common, do: 'burst', request: createIdle(api, 512), connections: 8, requests: OBJECTS })
  const marker = `"${ANNOTATION}":"`
  const request = await watchRequest(flotilla)
  await using watchers = await runWatch({ do: 'watch', target: api, request, watchers: WATCHERS, marker })
  using _stalled = await stalledWatch(api, request)
  const before = await processorSeconds(pid)
  const peak = peakOf(() => residentMB(pid))
  const durationMs = settings.quick ? 2_000 : MINUTE_MS
  const steady = { do: 'paced', ring: OBJECTS, connections: 8, perSecond: CHANGES_PER_SECOND, durationMs } as const
  const writes = await runLoad({ ...common, ...steady, request: changeRequest(flotilla) })
  const { events, deliveryMs } = await watchers.finish()
  const seconds = (await processorSeconds(pid)) - before
  const add = (what: string, unit: Unit, value: number, bar?: Bar) => collect.add('flotilla', what, unit, value, bar)
  add('delivery p50', 'ms', deliveryMs?.p50 ?? Number.POSITIVE_INFINITY)
  add('delivery p99', 'ms', deliveryMs?.p99 ?? Number.POSITIVE_INFINITY, DELIVERY_P99_MS)
  add('missed', 'events', writes.requests * WATCHERS - events, NONE)
  add('changes', '/s', writes.requests / writes.seconds)
  add('the write itself, p99', 'ms', writes.latencyMs.p99)
  add("the server's processor time", 's', seconds)
  add('RSS of the server, peak', 'MB', await peak.stop())
  add('RSS of the server, after', 'MB', await residentMB(pid))
}

/** From the newest version on: the objects themselves are not sent first. */
async function watchRequest({ api }: Flotilla): Promise<string> {
  const { metadata } = await listUnits(api)
  const path = `${UNITS}?watch=1&resourceVersion=${metadata.resourceVersion}`
  return requestText({ method: 'GET', path, host: hostOf(api) })
}

function changeRequest({ api }: Flotilla): string {
  const body = JSON.stringify({ metadata: { annotations: { [ANNOTATION]: STAMP } } })
  const path = `${UNITS}/${unitName(NUMBER)}`
  return requestText({ method: 'PATCH', path, host: hostOf(api), type: 'application/merge-patch+json', body })
}
