/** Events as people see them in the API. */

import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { createRecorder, type EventRecorder } from '../../controllers/lib/events.ts'
import { Event } from '../../crds/core/index.ts'
import { fieldEquals } from '../../crds/field-selector.ts'
import { EVENT_NAMESPACE } from '../../crds/group.ts'
import { unit } from '../support/objects.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const test = suite('events')
let server: ApiServer
let client: ApiClient

test.before(async () => {
  server = await startApiServer({ dataDir: tempDir(), listen: '127.0.0.1:0', store: 'memory', log })
  client = connect({ kubeconfigPath: server.kubeconfigPath })
})
test.after(async () => {
  await client.close()
  await server.close()
})

async function withRecorder(use: (recorder: EventRecorder) => Promise<void>): Promise<void> {
  const recorder = createRecorder({ client, component: 'test', host: 'here', log })
  const stop = new AbortController()
  const running = recorder.start(stop.signal)
  try {
    await use(recorder)
  } finally {
    stop.abort()
    await running
  }
}
const eventsAbout = async (name: string) => {
  const fieldSelector = fieldEquals('involvedObject.name', name)
  return (await client.list(Event, { namespace: EVENT_NAMESPACE, fieldSelector })).items
}
const moved = { type: 'Warning', reason: 'MachineLost', message: 'm1 is lost' } as const

test('the same thing said again raises the count of its Event', () =>
  withRecorder(async (recorder) => {
    const about = unit('a.service')
    recorder.record(about, moved)
    await until(async () => (await eventsAbout('a.service')).length === 1, { what: 'the event' })
    recorder.record(about, moved)
    recorder.record(about, moved)
    const [event] = await until(
      async () => {
        const events = await eventsAbout('a.service')
        return events[0]?.count === 3 && events
      },
      { what: 'the count' },
    )
    assert.equal(
      [event?.reason, event?.type, event?.message, event?.source?.component],
      ['MachineLost', 'Warning', 'm1 is lost', 'test'],
    )
    recorder.record(about, { ...moved, message: 'm2 is lost' })
    await until(async () => (await eventsAbout('a.service')).length === 2, { what: 'another saying, another event' })
  }))

for (const name of [
  'web@1.service',
  'Big_Name:x.service',
  '-.mount',
  'a\\x2db@-.service',
  `${'x'.repeat(240)}.service`,
])
  test(`a unit may be called ${name.slice(0, 20)}`, () =>
    withRecorder(async (recorder) => {
      recorder.record(unit(name), moved)
      await until(async () => (await eventsAbout(name)).length === 1, { what: 'the event' })
    }))

test('an Event that was deleted meanwhile is made anew', () =>
  withRecorder(async (recorder) => {
    const about = unit('gone.service')
    recorder.record(about, moved)
    const [event] = await until(
      async () => {
        const events = await eventsAbout('gone.service')
        return events.length === 1 && events
      },
      { what: 'the event' },
    )
    await client.delete(Event, event?.metadata.name ?? '', { namespace: EVENT_NAMESPACE })
    recorder.record(about, moved)
    await until(async () => (await eventsAbout('gone.service')).length === 1, { what: 'the new event' })
  }))

test('an object that talks too much is cut short, others are not', () =>
  withRecorder(async (recorder) => {
    for (let i = 0; i < 100; i++) recorder.record(unit('chatty.service'), { ...moved, message: `again ${i}` })
    recorder.record(unit('quiet.service'), moved)
    await until(async () => (await eventsAbout('quiet.service')).length === 1, { what: 'the other object' })
    await until(async () => (await eventsAbout('chatty.service')).length === 25, { what: 'the burst' })
    assert.is(recorder.dropped, 75)
  }))

test.run()
