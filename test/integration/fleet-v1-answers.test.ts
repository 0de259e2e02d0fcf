/** The fleet v1 door against the real server: fleet's answers call by call, pages, rights, addresses. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { ClusterRoleBinding, Machine, Unit } from '../../crds/index.ts'
import { askFleet, type FleetAsk } from '../support/fleet-v1-client.ts'
import { doorOf } from '../support/idle-clients.ts'
import { runProcess } from '../support/process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { askWithCertificate } from './etcd-v2-tls-client.ts'
import { CASES } from './fleet-v1-cases.ts'

const test = suite('the fleet v1 door')
const log = pino({ level: 'silent' })
const ID = 'a'.repeat(32)
const RUN = [{ section: 'Service', name: 'ExecStart', value: '/bin/true' }]
const socket = join(tempDir(), 'fleet.sock')

let server: ApiServer
let admin: ApiClient

test.before(async () => {
  const fleetListen = `127.0.0.1:0,unix://${socket}`
  server = await startApiServer({ dataDir: tempDir(), listen: '127.0.0.1:0', fleetListen, store: 'memory', log })
  admin = connect({ kubeconfigPath: server.kubeconfigPath })
})
test.after(async () => {
  await admin.close()
  await server.close()
})

const ask = (method: string, path: string, given?: FleetAsk) => askFleet(server.fleetV1Url ?? '', method, path, given)

for (const [group, cases] of CASES)
  test(`${group}: ${cases.length} calls are answered as fleet answers them`, async () => {
    for (const [call, sent, status, told, type] of cases) {
      const [method = '', ...path] = call.split(' ')
      const answer = await ask(method, path.join('%20'), { body: sent, ...(type !== undefined && { type }) })
      const expected = typeof told === 'string' ? { error: { code: status, message: told } } : told
      assert.equal(answer.body, expected, `${call} ${JSON.stringify(sent)}`)
      assert.is(answer.status, status, call)
      assert.is(answer.type, told === undefined ? undefined : 'application/json', call)
    }
  })

test('the cases are more than 150', () => assert.ok(CASES.flatMap(([, cases]) => cases).length > 150))

test('what is no JSON, or no unit, cannot be decoded', async () => {
  for (const body of ['{', '[]', '{"name":1}', '{"options":{}}', '{"options":[{"value":1}]}']) {
    const answer = await ask('PUT', '/fleet/v1/units/a.service', { body, type: 'application/json' })
    assert.is(answer.status, 400, body)
    assert.match(JSON.stringify(answer.body), /"message":"unable to decode body: /)
  }
})

test('130 units come in two pages, in order', async () => {
  const names = Array.from({ length: 130 }, (_, at) => `p${String(at).padStart(3, '0')}.service`)
  await Promise.all(names.map((name) => ask('PUT', `/fleet/v1/units/${name}`, { body: { name, options: RUN } })))
  const seen: unknown[] = []
  for (let token: unknown = ''; token !== undefined; ) {
    const { body } = await ask('GET', `/fleet/v1/units?nextPageToken=${token}`)
    const page = body as { units: { name: string }[]; nextPageToken?: string }
    seen.push(...page.units.map(({ name }) => name))
    token = page.nextPageToken
  }
  assert.equal(seen, names)
  await Promise.all(names.map((name) => ask('DELETE', `/fleet/v1/units/${name}`)))
})

test('labels of a machine are its metadata, both ways', async () => {
  const labels = { region: 'a', 'example.org/own': 'x' }
  await admin.create(Machine, { metadata: { name: 'm1', labels } })
  const addresses = [{ type: 'InternalIP' as const, address: '192.0.2.7' }]
  await admin.patch(Machine, 'm1', {
    type: 'merge',
    subresource: 'status',
    body: { status: { machineID: ID, addresses } },
  })
  const listed = async () => (await ask('GET', '/fleet/v1/machines')).body
  const machine = { id: ID, metadata: { region: 'a' }, primaryIP: '192.0.2.7' }
  assert.equal(await listed(), { machines: [machine] })
  const body = [
    { op: 'add', path: `/${ID}/metadata/disk.x_y-1`, value: { value: 'ssd' } },
    { op: 'replace', path: `/${ID}/metadata/region`, value: { value: 'b' } },
  ]
  assert.is((await ask('PATCH', '/fleet/v1/machines', { body })).status, 204)
  assert.equal(await listed(), { machines: [{ ...machine, metadata: { 'disk.x_y-1': 'ssd', region: 'b' } }] })
  const remove = ['disk.x_y-1', 'region', 'never'].map((key) => ({ op: 'remove', path: `/${ID}/metadata/${key}` }))
  assert.is((await ask('PATCH', '/fleet/v1/machines', { body: remove })).status, 204)
  assert.equal(await listed(), { machines: [{ id: ID, primaryIP: '192.0.2.7' }] })
  assert.equal((await admin.get(Machine, 'm1')).metadata.labels, { 'example.org/own': 'x' })
  const bad = [{ op: 'add', path: `/${ID}/metadata/a`, value: { value: 'no label' } }]
  assert.is((await ask('PATCH', '/fleet/v1/machines', { body: bad })).status, 400)
})

test('a unit made with kubectl shows in the form of fleet, and keeps what fleet has no word for', async () => {
  const content = '# why\n[Service]\nExecStart = /bin/sleep \\\n  9\n'
  await admin.create(Unit, {
    metadata: { name: 'k.service', labels: { mine: '1' } },
    spec: { content, failover: 'none' },
  })
  const { body } = await ask('GET', '/fleet/v1/units/k.service')
  const options = [{ name: 'ExecStart', section: 'Service', value: '/bin/sleep \\\n  9' }]
  assert.equal(body, { currentState: 'inactive', desiredState: 'launched', name: 'k.service', options })
  const same = { name: 'k.service', desiredState: 'loaded', options }
  assert.is((await ask('PUT', '/fleet/v1/units/k.service', { body: same })).status, 204, 'the same text')
  const { spec, metadata } = await admin.get(Unit, 'k.service')
  assert.equal([spec.content, spec.desiredState, spec.failover], [content, 'loaded', 'none'])
  assert.equal(metadata.labels, { mine: '1' })
  assert.ok(metadata.managedFields?.some((entry) => (entry as { manager?: string }).manager === 'fleet-v1'))
  await admin.delete(Unit, 'k.service')
})

test('a unit that reads a Secret can be started and stopped here, but not given another text', async () => {
  const credentials = [{ name: 'key', secretKeyRef: { name: 'db', key: 'password' } }]
  const content = '[Service]\nExecStart=/bin/true\n'
  await admin.create(Unit, { metadata: { name: 's.service' }, spec: { content, credentials } })
  const write = (body: object) => ask('PUT', '/fleet/v1/units/s.service', { body })
  assert.is((await write({ desiredState: 'loaded' })).status, 204)
  const options = [{ section: 'Service', name: 'ExecStart', value: '/bin/cat %d/key' }]
  const { status, body } = await write({ options, desiredState: 'launched' })
  assert.is(status, 403)
  assert.match(JSON.stringify(body), /only Secrets that its writer may read: secrets \\"db\\" is forbidden/)
  await admin.delete(Unit, 's.service')
})

test('the API describes itself, on the unix socket too, which is for its owner and the group', async () => {
  const [here, there] = await Promise.all([
    ask('GET', '/fleet/v1/discovery'),
    askFleet(`unix://${socket}`, 'GET', '/fleet/v1/discovery'),
  ])
  assert.equal(here, there)
  const { id, basePath, rootUrl } = here.body as Record<string, string>
  assert.equal([id, basePath, rootUrl], ['fleet:v1', '/fleet/v1/', '$ENDPOINT/'])
  assert.is(statSync(socket).mode & 0o777, 0o660)
})

test('the TLS port serves it too, with the rights of the certificate', async () => {
  const door = doorOf(server.kubeconfigPath)
  const { status, body } = await askWithCertificate(door, 'GET', '/fleet/v1/units')
  assert.equal([status, body], [200, '{}'])
  assert.is((await askWithCertificate(door, 'GET', '/fleet/v1/nothing')).status, 404)
})

test('a body without end is cut off', async () => {
  const body = { name: 'a.service', options: [{ section: 'S', name: 'A', value: 'x'.repeat(3_000_000) }] }
  const answer = await ask('PUT', '/fleet/v1/units/a.service', { body }).catch(() => undefined)
  assert.ok(answer === undefined || answer.status === 413)
  const large = { name: 'a.service', options: [{ section: 'S', name: 'A', value: 'x'.repeat(300_000) }] }
  assert.is((await ask('PUT', '/fleet/v1/units/a.service', { body: large })).status, 400)
})

test('an address that is taken is a sentence, or an error where it was asked for', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  const listen = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const options = { dataDir: tempDir(), listen: '127.0.0.1:0', store: 'memory' as const, log }
  const without = await startApiServer({ ...options, fleetListen: { listen, isDefault: true } })
  assert.is(without.fleetV1Url, undefined)
  assert.match(without.notices.join(), /the fleet v1 API is not on 127\.0\.0\.1:\d+, which is taken; --fleet-listen/)
  await without.close()
  const refused = await startApiServer({ ...options, fleetListen: listen }).catch((error: Error) => error.message)
  assert.match(
    String(refused),
    /the fleet v1 API cannot listen on .*: the address is taken; give another --fleet-listen/,
  )
  other.close()
})

test('a socket that is left over is replaced; a file, or a socket that answers, is not', async () => {
  const dir = tempDir()
  const options = { dataDir: dir, listen: '127.0.0.1:0', store: 'memory' as const, log }
  const refused = (path: string) =>
    startApiServer({ ...options, fleetListen: `unix://${path}` }).catch((error: Error) => error.message)
  const file = join(dir, 'precious')
  writeFileSync(file, 'kept')
  assert.match(String(await refused(file)), /the address is taken/)
  assert.is(readFileSync(file, 'utf8'), 'kept')
  assert.match(String(await refused(socket)), /the address is taken/)
  const left = join(dir, 'left.sock')
  const leave = `require('net').createServer().listen('${left}', () => process.kill(process.pid, 'SIGKILL'))`
  await runProcess([process.execPath, '-e', leave])
  assert.ok(statSync(left).isSocket())
  const after = await startApiServer({ ...options, fleetListen: `unix://${left}` })
  assert.is((await askFleet(`unix://${left}`, 'GET', '/fleet/v1/units')).status, 200)
  await after.close()
})

test('a global unit has a state on each machine, under its one name', async () => {
  const content = '[Service]\nExecStart=/bin/true\n\n[X-Fleet]\nGlobal=true\n'
  const systemd = { loadState: 'loaded', activeState: 'active', subState: 'running' }
  const { uid = '' } = (await admin.create(Unit, { metadata: { name: 'g.service' }, spec: { content } })).metadata
  const owner = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: 'g.service', uid, controller: true }
  const ids = ['n2', 'n1'].map((name) => name.padEnd(32, '0'))
  for (const machineID of ids) {
    const machineName = machineID.slice(0, 2)
    const name = `g.${machineName}.service`
    await admin.create(Machine, { metadata: { name: machineName } })
    await admin.patch(Machine, machineName, { type: 'merge', subresource: 'status', body: { status: { machineID } } })
    const spec = { content, unitName: 'g.service', machineName }
    await admin.create(Unit, { metadata: { name, ownerReferences: [owner] }, spec })
    const status = { machineName, currentState: 'launched', systemd }
    await admin.patch(Unit, name, { type: 'merge', subresource: 'status', body: { status } })
  }
  const names = (body: unknown, list: string) =>
    ((body as Record<string, { name: string; machineID?: string }[]>)[list] ?? []).map(
      ({ name, machineID }) => `${name} ${machineID}`,
    )
  assert.equal(names((await ask('GET', '/fleet/v1/units')).body, 'units'), ['g.service undefined'])
  const each = ids.toReversed().map((id) => `g.service ${id}`)
  assert.equal(names((await ask('GET', '/fleet/v1/state')).body, 'states'), each)
  const one = await ask('GET', `/fleet/v1/state?machineID=${ids[0]}&unitName=g.service`)
  assert.equal(names(one.body, 'states'), [`g.service ${ids[0]}`])
  assert.is(((await ask('GET', '/fleet/v1/state/g.service')).body as { machineID: string }).machineID, ids[1])
  assert.is((await ask('GET', '/fleet/v1/units/g.n1.service')).status, 404)
  assert.is((await ask('DELETE', '/fleet/v1/units/g.n1.service')).status, 404)
})

test('without the binding of flotilla:legacy-fleet nobody may do anything here', async () => {
  await admin.delete(ClusterRoleBinding, 'flotilla:legacy-fleet')
  await until(async () => (await ask('GET', '/fleet/v1/units')).status === 403, { what: 'units to be refused' })
  const body = { name: 'z.service', options: RUN }
  for (const [method, path, sent] of [
    ['GET', '/fleet/v1/machines', undefined],
    ['GET', '/fleet/v1/state', undefined],
    ['GET', '/fleet/v1/units/z.service', undefined],
    ['DELETE', '/fleet/v1/units/z.service', undefined],
    ['PUT', '/fleet/v1/units/z.service', body],
    ['PATCH', '/fleet/v1/machines', [{ op: 'remove', path: `/${ID}/metadata/a` }]],
  ] as const) {
    const answer = await ask(method, path, { body: sent })
    assert.is(answer.status, 403, `${method} ${path}`)
    assert.match(JSON.stringify(answer.body), /User \\"flotilla:legacy-fleet\\" cannot /)
  }
})

test.run()
