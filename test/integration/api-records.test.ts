import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../support/until.ts'
import { type Answer, type Api, bindRole, type Caller, type Json, startApi, UNITS } from './api-raw.ts'

const test = suite('what the server tells of itself')

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

let api: Api
let alice: Caller

test.before(async () => {
  api = await startApi()
  alice = api.caller(await api.server.pki.issueClient({ commonName: 'alice', organizations: ['devs'] }))
})
test.after(async () => api[Symbol.asyncDispose]())

const post = (path: string, body: unknown, rest: object = {}): Promise<Answer> =>
  api.ask('POST', path, { body, ...rest })

const bind = (name: string, role: string, user: string) => bindRole(api, name, role, user)

/** The audit log's lines, once one says what is asked for. */
async function recorded(says: (line: Json) => boolean): Promise<Json> {
  const read = () =>
    readFileSync(join(api.dataDir, 'audit.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
      .find(says)
  return until(async () => read(), { what: 'the line of the audit log' })
}

test('every write is on record: who, for whom, what, with which result', async () => {
  const made = await post(
    CONFIG_MAPS,
    { metadata: { generateName: 'a-' } },
    { headers: { 'Impersonate-User': 'bob', 'Impersonate-Group': 'system:masters' } },
  )
  assert.is(made.code, 201)
  const { name, resourceVersion } = made.body.metadata
  const line = await recorded((each) => each.requestId === made.headers['audit-id'])
  const { time, latencyMs, requestId, ...rest } = line
  assert.equal(rest, {
    user: 'bob',
    groups: ['system:masters', 'system:authenticated'],
    impersonatedBy: 'admin',
    verb: 'create',
    group: '',
    resource: 'configmaps',
    namespace: 'default',
    name,
    code: 201,
    resourceVersion,
    source: '127.0.0.1',
  })
  assert.ok(Date.parse(time) > 0 && latencyMs > 0 && requestId.length > 0)
  const refused = await api.ask('DELETE', `${CONFIG_MAPS}/${name}`, { as: alice })
  const refusal = await recorded((each) => each.requestId === refused.headers['audit-id'])
  assert.equal([refusal.user, refusal.verb, refusal.name, refusal.code], ['alice', 'delete', name, 403])
  const tried = await api.ask('DELETE', `${CONFIG_MAPS}/${name}?dryRun=All`)
  assert.is((await recorded((each) => each.requestId === tried.headers['audit-id'])).dryRun, true)
  const unknown = await post(CONFIG_MAPS, {}, { as: api.anonymous })
  assert.is((await recorded((each) => each.requestId === unknown.headers['audit-id'])).code, 401)
  assert.is((await api.ask('GET', CONFIG_MAPS)).headers['audit-id'], undefined)
})

test('metrics count what was answered, and are for those who may read them', async () => {
  const total = async (labels: string) => {
    const { text } = await api.ask('GET', '/metrics')
    return Number(new RegExp(`^apiserver_request_total\\{${labels}\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  }
  const labels =
    'verb="LIST",group="flotilla.dev",version="v1",resource="units",subresource="",scope="cluster",code="200"'
  const before = await total(labels)
  for (let i = 0; i < 3; i++) await api.ask('GET', UNITS)
  await until(async () => (await total(labels)) === before + 3, { what: 'three more lists' })
  const { text, headers } = await api.ask('GET', '/metrics')
  assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
  for (const line of text.trim().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+)$/)
  for (const name of [
    'process_resident_memory_bytes',
    'flotilla_store_transaction_duration_seconds_count',
    'apiserver_current_inflight_requests',
    'nodejs_eventloop_lag_seconds',
  ])
    assert.match(text, new RegExp(`^${name}[ {]`, 'm'))
  assert.is((await api.ask('GET', '/metrics', { as: alice })).code, 403)
  await bind('alice-monitors', 'system:monitoring', 'alice')
  assert.is((await api.ask('GET', '/metrics', { as: alice })).code, 200)
})

test('health has named checks', async () => {
  const text = async (path: string) => (await api.ask('GET', path, { as: api.anonymous })).text
  assert.is(await text('/readyz?verbose'), '[+]ping ok\n[+]store ok\n[+]shutdown ok\nreadyz check passed\n')
  assert.is(await text('/livez?verbose&exclude=store'), '[+]ping ok\n[+]store excluded: ok\nlivez check passed\n')
  assert.is(await text('/readyz/shutdown'), 'ok')
  assert.is((await api.ask('GET', '/livez/none')).code, 404)
})

test.run()
