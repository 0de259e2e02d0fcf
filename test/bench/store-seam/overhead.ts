/** Processor time of the API server, a write and a watched event, less the store's own part of it. */
import { call } from '../flotilla/call.ts'
import { processorSeconds } from '../flotilla/proc.ts'
import { type Flotilla, startFlotilla } from '../flotilla/running.ts'
import { createIdle, hostOf, UNITS } from '../flotilla/units.ts'
import type { Settings } from '../harness/figure.ts'
import type { Collector } from '../harness/rounds.ts'
import { runLoad, runWatch } from '../load/run.ts'
import { requestText } from '../load/template.ts'
import { VALUE_BYTES } from './job.ts'

const WRITERS = 32
const WATCHERS = 100
/** No event holds it: nothing is timed here. */
const MARKER = '"bench.flotilla.dev/no-stamp":"'

/** The server's processor time for so many creates, in µs each. */
async function microsPerCreate({ api, pid }: Flotilla, firstNumber: number, requests: number): Promise<number> {
  const before = await processorSeconds(pid)
  const request = createIdle(api, VALUE_BYTES)
  const { refused } = await runLoad({ do: 'burst', target: api, request, connections: WRITERS, firstNumber, requests })
  if (Object.keys(refused).length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`)
  return (((await processorSeconds(pid)) - before) / requests) * 1e6
}

/** `storeMicros`: what one put costs the store's process at as many writers. */
export async function measureOverhead(collect: Collector, settings: Settings, storeMicros: number): Promise<void> {
  settings.say('store: the API server above it')
  const requests = settings.quick ? 2_000 : 20_000
  await using flotilla = await startFlotilla(['server'])
  await microsPerCreate(flotilla, 0, 2_000)
  const alone = await microsPerCreate(flotilla, 1_000_000, requests)
  collect.add('flotilla server', `processor time a create, ${WRITERS} connections`, 'µs', alone)
  collect.add('embedded store', `processor time a put, ${WRITERS} writers`, 'µs', storeMicros)
  collect.add('flotilla server − store', 'processor time a create', 'µs', alone - storeMicros)
  const watched = await withWatchers(flotilla, () => microsPerCreate(flotilla, 2_000_000, requests))
  collect.add('flotilla server', `processor time an event, ${WATCHERS} watchers`, 'µs', (watched - alone) / WATCHERS)
}

/** From the newest version on, so that what was made before is not sent. */
async function withWatchers<T>({ api }: Flotilla, work: () => Promise<T>): Promise<T> {
  const { metadata } = (await call(api, 'GET', `${UNITS}?limit=1`)) as { metadata: { resourceVersion: string } }
  const path = `${UNITS}?watch=1&resourceVersion=${metadata.resourceVersion}`
  const request = requestText({ method: 'GET', path, host: hostOf(api) })
  await using _watchers = await runWatch({ do: 'watch', target: api, request, watchers: WATCHERS, marker: MARKER })
  return await work()
}
