/** Clients that take their time: each way of holding a connection without using it has an end. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../support/within.ts'
import { type Api, startApi, UNITS, unitBody, watchOf } from './api-raw.ts'

const test = suite<{ api: Api }>('slow clients')

/** Short enough for a test, in the proportions of the real ones. */
const limits = { handshakeMs: 300, headersMs: 400, requestMs: 800, checkEveryMs: 100, idleMs: 300, closingMs: 500 }

test.before(async (context) => {
  context.api = await startApi({ limits })
})

test.after(async ({ api }) => api[Symbol.asyncDispose]())

/** Everything that a connection hears until its end. */
async function heardBy(socket: Socket): Promise<string> {
  let heard = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text
  })
  socket.on('error', () => undefined)
  await within(5_000, once(socket, 'close'), 'the connection’s end')
  return heard
}

test('a connection that never shakes hands is closed', async ({ api }) => {
  assert.is(await heardBy(connectTcp(api.port, '127.0.0.1')), '')
})

test('a connection that never asks is closed', async ({ api }) => {
  await heardBy(await api.connect())
})

test('a head that trickles in is told that it is late', async ({ api }) => {
  const socket = await api.connect()
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n')
  const trickle = setInterval(() => socket.writable && socket.write('x: y\r\n'), 50)
  const heard = await heardBy(socket)
  clearInterval(trickle)
  assert.match(heard, /^HTTP\/1\.1 408 [\s\S]*"reason":"Timeout"/)
})

test('a body that trickles in is told that it is late, and is not stored', async ({ api }) => {
  const socket = await api.connect()
  const body = JSON.stringify(unitBody('slow.service'))
  socket.write(`POST ${UNITS} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, -1)}`)
  assert.match(await heardBy(socket), /^HTTP\/1\.1 408 /)
  assert.is((await api.ask('GET', `${UNITS}/slow.service`)).code, 404)
})

test('a connection that has been served and asks no more is closed', async ({ api }) => {
  const socket = await api.connect()
  socket.write('GET /version HTTP/1.1\r\nhost: x\r\n\r\n')
  assert.match(await heardBy(socket), /^HTTP\/1\.1 200 /)
})

test('a watch may be silent for longer than any of these', async ({ api }) => {
  const watch = await watchOf(api, `${UNITS}?watch=1&timeoutSeconds=2`)
  const start = performance.now()
  assert.is(await within(5_000, watch.ended, 'the watch'), 'clean')
  assert.ok(performance.now() - start > 1_500)
})

test('two hundred connections that do nothing keep nobody out', async ({ api }) => {
  const { tls } = api.admin
  const lazy = Array.from({ length: 200 }, (_, n) => {
    const socket: Socket = n % 2 === 0 ? connectTcp(api.port, '127.0.0.1') : connectTls(tls as ConnectionOptions)
    return once(socket.on('error', () => undefined).resume(), 'close')
  })
  for (let n = 0; n < 20; n++) assert.is((await api.ask('GET', '/version')).code, 200)
  await within(5_000, Promise.all(lazy), 'all to be closed')
})

test('a request in flight is answered before the server has stopped', async () => {
  const api = await startApi({ limits })
  await api.ask('GET', '/version')
  const asked = Array.from({ length: 20 }, (_, n) => api.ask('POST', UNITS, { body: unitBody(`u${n}.service`) }))
  await api.ask('GET', '/version')
  const closed = api.server.close()
  const codes = (await Promise.allSettled(asked)).map((one) => (one.status === 'fulfilled' ? one.value.code : 0))
  assert.ok(
    codes.every((code) => code === 201 || code === 0),
    String(codes),
  )
  assert.ok(codes.filter((code) => code === 201).length > 0)
  await within(3_000, closed, 'the stop')
})

test('a client that does not let go does not keep the server from stopping', async () => {
  const api = await startApi({ limits })
  const socket = await api.connect()
  socket.on('error', () => undefined)
  socket.write(`POST ${UNITS} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{`)
  await api.ask('GET', '/version')
  const start = performance.now()
  await within(3_000, api.server.close(), 'the stop')
  assert.ok(performance.now() - start < 2_000)
})

test.run()
