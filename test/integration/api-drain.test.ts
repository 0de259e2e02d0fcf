/** What the server tells a client that says it is `kubectl drain`, call by call; no controllers run, so nothing moves. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Answer, type Api, bindRole, type Caller, MACHINES, MERGE, startApi, UNITS } from './api-raw.ts'

const test = suite('units in the eyes of kubectl drain')
const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
const PODS = '/api/v1/namespaces/flotilla-units/pods'
const ON_M1 = '/api/v1/pods?fieldSelector=spec.nodeName%3Dm1'
const headers = { 'kubectl-command': 'kubectl drain' }

let api: Api
let bob: Caller

test.before(async () => {
  api = await startApi()
  bob = api.caller(await api.server.pki.issueClient({ commonName: 'bob', organizations: ['devs'] }))
  const rules = [{ verbs: ['*'], apiGroups: [''], resources: ['pods', 'pods/eviction', 'nodes'] }]
  await api.ask('POST', ROLES, { body: { metadata: { name: 'evictor' }, rules } })
  await bindRole(api, 'evictor', 'evictor', 'bob')
  for (const name of ['m1', 'm2']) await api.ask('POST', MACHINES, { body: { metadata: { name } } })
  await api.ask('PATCH', `${MACHINES}/m1`, { body: { spec: { unschedulable: true } }, type: MERGE })
  await unit('web.service', { machineName: 'm1' }, { app: 'web' })
  await unit('log.service', { machineName: 'm1', placement: { machineOf: ['web.service'] } })
  await unit('db.service', { machineName: 'm1', failover: 'none' })
  await unit('far.service', { machineName: 'm2' })
  await unit('nowhere.service', {})
})
test.after(async () => api[Symbol.asyncDispose]())

async function unit(name: string, spec: object, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  const body = { metadata: { name, labels }, spec: { content: '[Service]\nExecStart=/bin/true\n', ...spec } }
  const { code, text } = await api.ask('POST', UNITS, { body })
  assert.is(code, 201, text)
}

const namesIn = ({ body }: Answer) => body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)
const evict = (name: string, query = '', rest: object = {}) => {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'flotilla-units' } }
  return api.ask('POST', `${PODS}/${name}/eviction${query}`, { body, headers, ...rest })
}
async function wishOf(name: string): Promise<string | undefined> {
  return (await api.ask('GET', `${UNITS}/${name}`)).body.metadata.annotations?.['flotilla.dev/evict-from']
}

test('what a drain moves is among the pods of its node, and what stays is a warning', async () => {
  const answer = await api.ask('GET', ON_M1, { headers })
  assert.equal(namesIn(answer).toSorted(), ['log.service', 'web.service'])
  assert.match(String(answer.headers.warning), /unit\/db\.service stays on m1: its failover is none/)
  const [pod] = answer.body.items
  assert.equal(
    [pod.kind, pod.metadata.namespace, pod.spec.nodeName, pod.metadata.ownerReferences[0].kind],
    ['Pod', 'flotilla-units', 'm1', 'Unit'],
  )
  assert.ok(pod.metadata.ownerReferences[0].controller)
})

test('a label selector selects by the labels of the units', async () => {
  assert.equal(namesIn(await api.ask('GET', `${ON_M1}&labelSelector=app%3Dweb`, { headers })), ['web.service'])
})

test('nobody else sees any of it, and nobody sees it in other lists', async () => {
  for (const [path, given] of [
    [ON_M1, {}],
    [ON_M1, { 'kubectl-command': 'kubectl get' }],
    ['/api/v1/pods', headers],
    [PODS, headers],
  ] as const)
    assert.equal(namesIn(await api.ask('GET', path, { headers: given })), [], path)
  assert.is((await api.ask('GET', `${PODS}/web.service`)).code, 404)
  assert.is((await evict('web.service', '', { headers: {} })).code, 404)
})

test('such a pod is there while a machine has its unit', async () => {
  const { code, body } = await api.ask('GET', `${PODS}/web.service`, { headers })
  assert.equal([code, body.spec.nodeName], [200, 'm1'])
  for (const name of ['nowhere.service', 'unknown.service'])
    assert.is((await api.ask('GET', `${PODS}/${name}`, { headers })).code, 404, name)
})

test('an eviction is a wish on the unit; a trial is none', async () => {
  assert.is((await evict('web.service', '?dryRun=All')).code, 201)
  assert.is(await wishOf('web.service'), undefined)
  assert.is((await evict('web.service')).code, 201)
  assert.is(await wishOf('web.service'), 'm1')
  assert.is((await api.ask('DELETE', `${PODS}/log.service`, { headers })).code, 200)
  assert.is(await wishOf('log.service'), 'm1')
})

test('what stays is not evicted (429), and what is elsewhere by now is gone (404)', async () => {
  const refused = await evict('db.service')
  assert.equal([refused.code, refused.body.message], [429, 'Cannot evict unit db.service: its failover is none'])
  assert.is((await evict('far.service')).code, 404)
  assert.is(await wishOf('far.service'), undefined)
  assert.is((await evict('nowhere.service')).code, 201, 'it is on its way')
})

test('who may not list, get or change units is told so, also of units that are not there', async () => {
  for (const answer of [
    await api.ask('GET', ON_M1, { headers, as: bob }),
    await api.ask('GET', `${PODS}/web.service`, { headers, as: bob }),
    await api.ask('GET', `${PODS}/unknown.service`, { headers, as: bob }),
    await evict('web.service', '', { as: bob }),
  ]) {
    assert.is(answer.code, 403)
    assert.match(answer.body.message, /User "bob" cannot (list|get|patch) resource "units"/)
  }
})

test.run()
