import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KubeConfig } from '@kubernetes/client-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiClient, ApiError, connect } from '../../../../controllers/lib/client.ts'
import { DeadlineError } from '../../../../controllers/lib/deadline.ts'
import { Lease } from '../../../../crds/core/index.ts'
import { Unit } from '../../../../crds/unit.ts'
import { within } from '../../../support/within.ts'

const test = suite('client')

interface Answer {
  readonly code?: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly silent?: boolean
  readonly cut?: boolean
}

/** Answers in order; notes what was asked and over how many connections. */
async function withServer(
  answers: Answer[],
  use: (client: ApiClient, asked: string[], sockets: () => number) => Promise<void>,
  options: { readonly silenceMs?: number } = {},
) {
  const asked: string[] = []
  let sockets = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const type = request.headers['content-type'] ?? ''
    asked.push(`${request.method} ${request.url} ${type} ${Buffer.concat(chunks)}`.trimEnd())
    const { code = 200, body = {}, headers = {}, silent, cut } = answers.shift() ?? {}
    if (silent) return
    if (cut) return void request.socket.destroy()
    response.writeHead(code, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.on('connection', () => sockets++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const kubeconfig = new KubeConfig()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/`
  kubeconfig.loadFromClusterAndUser({ name: 't', server: url, skipTLSVerify: true }, { name: 't', token: 'secret' })
  const client = connect({ kubeconfig, ...options })
  try {
    await use(client, asked, () => sockets)
  } finally {
    await client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

test('paths come from the kind, its scope and the name, whatever the name holds', () =>
  withServer([], async (client, asked) => {
    await client.get(Unit, 'web@a\\x2db.service')
    await client.get(Lease, 'm1', { namespace: 'flotilla-machines' })
    await client.list(Unit, { fieldSelector: 'spec.machineName=m1', resourceVersion: '0' })
    await client.create(Lease, { metadata: { name: 'm1', namespace: 'ns' } })
    await client.patch(Unit, 'a.service', { type: 'merge', subresource: 'status', body: { a: 1 } })
    await client.patch(Unit, 'a.service', { type: 'json', body: [] })
    await client.delete(Unit, 'a.service', { uid: 'u1' })
    assert.equal(asked, [
      'GET /prefix/apis/flotilla.dev/v1/units/web%40a%5Cx2db.service',
      'GET /prefix/apis/coordination.k8s.io/v1/namespaces/flotilla-machines/leases/m1',
      'GET /prefix/apis/flotilla.dev/v1/units?fieldSelector=spec.machineName%3Dm1&resourceVersion=0',
      'POST /prefix/apis/coordination.k8s.io/v1/namespaces/ns/leases application/json {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"m1","namespace":"ns"}}',
      'PATCH /prefix/apis/flotilla.dev/v1/units/a.service/status application/merge-patch+json {"a":1}',
      'PATCH /prefix/apis/flotilla.dev/v1/units/a.service application/json-patch+json []',
      'DELETE /prefix/apis/flotilla.dev/v1/units/a.service application/json {"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u1"}}',
    ])
  }))

test('an answer that says no becomes an ApiError with code, reason and message', () => {
  const status = { kind: 'Status', code: 409, reason: 'Conflict', message: 'changed meanwhile' }
  return withServer(
    [
      { code: 409, body: status },
      { code: 503, body: '<html>', headers: { 'retry-after': '2' } },
    ],
    async (client) => {
      const conflict = (await rejection(client.get(Unit, 'a.service'))) as ApiError
      assert.instance(conflict, ApiError)
      assert.equal([conflict.code, conflict.reason, conflict.message], [409, 'Conflict', 'changed meanwhile'])
      const page = (await rejection(client.get(Unit, 'a.service'))) as ApiError
      assert.equal([page.code, page.reason, page.message, page.retryAfterMs], [503, '', '<html>', 2_000])
    },
  )
})

test('a call that is not answered ends at its deadline, a cancelled one with the reason', () =>
  withServer([{ silent: true }, { silent: true }], async (client) => {
    assert.instance(await rejection(client.get(Unit, 'a.service', { timeoutMs: 20 })), DeadlineError)
    const stop = new AbortController()
    const call = client.get(Unit, 'a.service', { signal: stop.signal })
    stop.abort(new Error('stopping'))
    assert.is(((await rejection(call)) as Error).message, 'stopping')
  }))

test('calls one after the other share connections', () =>
  withServer([], async (client, _, sockets) => {
    for (let i = 0; i < 20; i++) await client.get(Unit, 'a.service')
    // The next call may start before the connection of the one before is free again.
    assert.ok(sockets() <= 2, `${sockets()} connections`)
  }))

test('a read whose connection was closed is asked once more, a write is not', () =>
  withServer([{ cut: true }, {}, { cut: true }], async (client, asked) => {
    await client.get(Unit, 'a.service')
    const error = (await rejection(client.patch(Unit, 'a.service', { type: 'merge', body: {} }))) as Error
    assert.match(error.message, /^PATCH \/apis\/flotilla.dev\/v1\/units\/a.service: /)
    assert.is(asked.length, 3)
  }))

test('an answer after a long silence ends open watches, which may have missed what was sent in it', () =>
  withServer(
    [{}, { silent: true }, { silent: true }, {}],
    async (client) => {
      await client.get(Unit, 'a.service')
      const watch = rejection(client.watch(Unit, { resourceVersion: '1', onEvent: () => undefined }))
      await rejection(client.get(Unit, 'a.service', { timeoutMs: 60 }))
      await client.get(Unit, 'a.service')
      assert.instance(await within(2_000, watch, 'the watch to end'), Error)
    },
    { silenceMs: 50 },
  ))

test('a call that is late while others are answered ends no watch', () =>
  withServer(
    [{ silent: true }, { silent: true }],
    async (client) => {
      const stop = new AbortController()
      const watch = client.watch(Unit, { resourceVersion: '1', onEvent: () => undefined, signal: stop.signal })
      await rejection(client.get(Unit, 'a.service', { timeoutMs: 20 }))
      await client.get(Unit, 'a.service')
      stop.abort()
      assert.is(await watch, undefined)
    },
    { silenceMs: 5_000 },
  ))

test.run()
