/**
 * Whatever is wrong with a request, its sender is told so in a Kubernetes Status, word for word, nothing is stored, and
 * the server goes on.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Answer, type Api, type Caller, startApi } from './api-raw.ts'
import { BAD_REQUESTS } from './bad-requests/index.ts'
import { prepare, THERE } from './bad-requests/places.ts'
import type { Refusal, Row, Who } from './bad-requests/row.ts'

const FEWEST_ROWS = 220

const test = suite<{ api: Api; callers: Readonly<Record<Who, Caller>> }>('bad requests')

test.before(async (context) => {
  context.api = await startApi()
  context.callers = await prepare(context.api)
})

test.after(async ({ api }) => api[Symbol.asyncDispose]())

function checkRefusal({ code, headers, body, text }: Answer, { message, ...expected }: Refusal): void {
  assert.is(code, expected.code, text.slice(0, 1_000))
  const { message: said, ...status } = body
  if (message instanceof RegExp) assert.match(said, message)
  else assert.is(said, message)
  assert.equal(status, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...expected })
  assert.is(headers['cache-control'], 'no-cache, private')
  assert.match(headers['content-type'] ?? '', /^application\/json/)
  assert.not.match(text, /\\n {4}at |\.ts:\d|node_modules/, 'no stack trace')
  assert.ok(text.length < 60_000, 'an answer that can be read')
}

async function isRefused(api: Api, as: Caller, { ask, refused, title: _title, ...rest }: Row): Promise<void> {
  const [method = '', path = ''] = ask.split(/ (.*)/s)
  const before = api.server.registry.store.revision
  checkRefusal(await api.ask(method, path, { ...rest, as }), refused)
  assert.is(api.server.registry.store.revision, before, 'nothing is stored')
}

const all = Object.entries(BAD_REQUESTS)
for (const [concern, rows] of all)
  for (const row of rows)
    test(`${concern}: ${row.title} → ${row.refused.code}`, ({ api, callers }) =>
      isRefused(api, callers[row.as ?? 'admin'], row))

test('all of that is not little, and nothing was told twice', async ({ api }) => {
  const rows = all.flatMap(([concern, list]) => list.map(({ title }) => `${concern}: ${title}`))
  assert.ok(rows.length >= FEWEST_ROWS, `${rows.length} rows`)
  assert.is(new Set(rows).size, rows.length)
  assert.is((await api.ask('GET', THERE)).code, 200, 'the server goes on')
})

test.run()
