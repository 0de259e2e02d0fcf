/** The protobuf document against its only readers: real kubectls, before a server that speaks just enough for them. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { writeKubeconfig } from '../../api-server/auth/kubeconfig.ts'
import { openPki } from '../../api-server/auth/pki.ts'
import { encodeOpenApiV2, OPENAPI_V2_PROTOBUF } from '../../api-server/http/openapi-v2.ts'
import { type Kubectl, kubectls } from '../support/kubectl.ts'
import { tempDir } from '../support/temp-dir.ts'

const UNITS = '/apis/flotilla.dev/v1/units'
const GVK = { group: 'flotilla.dev', version: 'v1', kind: 'Unit' }
const IS_UNIT = 'x-kubernetes-group-version-kind'

const SPEC = {
  type: 'object',
  description: 'What should be.',
  required: ['content'],
  properties: {
    content: { type: 'string', description: 'A systemd unit file.' },
    desiredState: { type: 'string', enum: ['inactive', 'loaded', 'launched'], default: 'launched' },
    replicas: { type: 'integer', format: 'int32', minimum: 0, maximum: 1000 },
    metadata: { type: 'object', additionalProperties: { type: 'string' } },
    peers: { type: 'array', items: { $ref: '#/definitions/dev.flotilla.v1.Peer' } },
    port: { 'x-kubernetes-int-or-string': true, type: 'integer' },
    extra: { type: 'object', properties: {}, 'x-kubernetes-preserve-unknown-fields': true },
    note: { type: 'string', nullable: true },
    constructor: { type: 'boolean' },
  },
}

const DOCUMENT = {
  swagger: '2.0',
  info: { title: 'Flotilla', version: 'v1' },
  paths: {
    [`${UNITS}/{name}`]: {
      parameters: [{ name: 'name', in: 'path', required: true, type: 'string' }],
      patch: {
        parameters: [{ name: 'dryRun', in: 'query', type: 'string', uniqueItems: true }],
        responses: { '200': { description: 'OK' } },
        [IS_UNIT]: GVK,
      },
    },
  },
  definitions: {
    'dev.flotilla.v1.Peer': { type: 'object', description: 'A neighbour.', properties: { name: { type: 'string' } } },
    'dev.flotilla.v1.Unit': {
      type: 'object',
      description: 'A systemd unit somewhere in the fleet.',
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: { type: 'object', properties: { name: { type: 'string' } } },
        spec: SPEC,
      },
      [IS_UNIT]: [GVK],
    },
  },
}

const ANSWERS: Readonly<Record<string, unknown>> = {
  '/version': { major: '1', minor: '32', gitVersion: 'v1.32.4', platform: 'linux/amd64' },
  '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [] },
  '/apis': {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [
      {
        name: GVK.group,
        versions: [{ groupVersion: 'flotilla.dev/v1', version: 'v1' }],
        preferredVersion: { groupVersion: 'flotilla.dev/v1', version: 'v1' },
      },
    ],
  },
  '/apis/flotilla.dev/v1': {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'flotilla.dev/v1',
    resources: [
      {
        name: 'units',
        singularName: 'unit',
        namespaced: false,
        kind: 'Unit',
        verbs: ['create', 'get', 'list', 'patch'],
      },
    ],
  },
}

/** What was POSTed to the units, query included. */
const created: string[] = []
const openApi = encodeOpenApiV2(DOCUMENT)

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'https://flotilla')
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  response.setHeader('cache-control', 'no-cache, private')
  if (pathname === '/openapi/v2') {
    response.writeHead(200, { 'content-type': OPENAPI_V2_PROTOBUF }).end(openApi)
    return
  }
  const isCreate = request.method === 'POST' && pathname === UNITS
  if (isCreate) created.push(search)
  const body = isCreate ? Buffer.concat(chunks).toString() : JSON.stringify(ANSWERS[pathname])
  const missing = '{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}'
  const code = isCreate ? 201 : body ? 200 : 404
  response.writeHead(code, { 'content-type': 'application/json' }).end(body ?? missing)
}

const unit = (spec: object): string =>
  JSON.stringify({ apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: { name: 'web.service' }, spec })

let server: Server
let kubeconfig = ''
const test = suite('openapi v2')

test.before(async () => {
  const folder = tempDir()
  const pki = await openPki(folder)
  const { certificate: cert, key } = await pki.serverCredentials(['127.0.0.1'])
  server = createServer({ cert, key }, (request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  kubeconfig = join(folder, 'kubeconfig')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const admin = await pki.adminCredentials()
  await writeKubeconfig(kubeconfig, { server: url, caCertificate: pki.caCertificate, ...admin, user: 'admin' })
})
test.after(() => {
  server.closeAllConnections()
  server.close()
})
test.before.each(() => {
  created.length = 0
})

const create = (kubectl: Kubectl, spec: object, ...flags: string[]) =>
  kubectl.run(['create', '-f', '-', ...flags], { kubeconfig, input: unit(spec) })

for (const kubectl of await kubectls()) {
  const promise = (title: string, run: () => Promise<void>) => test(`kubectl ${kubectl.version}: ${title}`, run)

  promise('explain shows fields, types, descriptions and what is required', async () => {
    const { code, stdout, stderr } = await kubectl.run(['explain', 'unit.spec'], { kubeconfig })
    assert.is(code, 0, stderr)
    assert.match(stdout, 'What should be.')
    assert.match(stdout, /content\s+<string> -required-\s+A systemd unit file\./)
    assert.match(stdout, /replicas\s+<integer>/)
    assert.match(stdout, /metadata\s+<map\[string\]string>/)
    assert.match(stdout, /constructor\s+<boolean>/)
  })

  promise('explain follows references', async () => {
    const { stdout } = await kubectl.run(['explain', 'unit.spec.peers'], { kubeconfig })
    assert.match(stdout, 'A neighbour.')
    assert.match(stdout, /name\s+<string>/)
  })

  promise('an unknown field is refused before anything is sent', async () => {
    const { code, stderr } = await create(kubectl, { content: 'x', bogus: 1 })
    assert.is(code, 1)
    assert.match(stderr, 'ValidationError(Unit.spec): unknown field "bogus" in dev.flotilla.v1.Unit.spec')
    assert.equal(created, [])
  })

  promise('a missing required field and a wrong type are refused', async () => {
    assert.match((await create(kubectl, {})).stderr, 'missing required field "content"')
    assert.match((await create(kubectl, { content: 'x', replicas: 'two' })).stderr, 'invalid type for')
    assert.equal(created, [])
  })

  promise('what the server takes is not refused: null, int or string, unknown fields where they are kept', async () => {
    for (const port of [80, 'http']) {
      const { code, stderr } = await create(kubectl, { content: 'x', note: null, port, extra: { a: { b: [1] } } })
      assert.is(code, 0, stderr)
    }
    assert.is(created.length, 2)
  })

  promise('a server-side dry run is sent as one', async () => {
    const { code, stderr } = await create(kubectl, { content: 'x', peers: [{ name: 'a' }] }, '--dry-run=server')
    assert.is(code, 0, stderr)
    assert.match(created[0] ?? '', 'dryRun=All')
  })
}

test.run()
