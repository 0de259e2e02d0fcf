/** The short way of plain requests: nobody can tell it from node:http, however requests are cut, joined or broken. */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEtcdV2Door } from '../../api-server/legacy/etcd-v2/door.ts'
import { type Ask, type Limits, serveConnection } from '../../api-server/legacy/etcd-v2/front/connection.ts'
import { listenEtcdV2 } from '../../api-server/legacy/etcd-v2/listen.ts'
import { openStore } from '../../api-server/store/open.ts'
import { RawConnection } from '../support/etcd-v2/raw-client.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suite('the front of the etcd v2 door')
const log = pino({ level: 'silent' })

/** One door, with the front and without. */
async function startBoth() {
  const store = await openStore('embedded', { dataDir: tempDir(), log })
  const door = await createEtcdV2Door({ store, log, clientUrls: () => [] })
  const front = await listenEtcdV2(door, { host: '127.0.0.1', port: 0 })
  const bare = createHttpServer({ keepAliveTimeout: 120_000 }, (request, response) => door.handle(request, response))
  return {
    front: front.url,
    bare: await urlOf(bare),
    async [Symbol.asyncDispose]() {
      await door.close()
      await front.close()
      bare.closeAllConnections()
      bare.close()
      await store[Symbol.asyncDispose]()
    },
  }
}

async function urlOf(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const HOST = 'Host: x\r\n'
const get = (path: string, headers = '') => `GET /v2/keys/${path} HTTP/1.1\r\n${HOST}${headers}\r\n`
const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n'
const put = (path: string, body: string, headers = '') =>
  `PUT /v2/keys/${path} HTTP/1.1\r\n${HOST}${FORM}${headers}Content-Length: ${body.length}\r\n\r\n${body}`
const chunked = `PUT /v2/keys/c?prevExist=true HTTP/1.1\r\n${HOST}${FORM}Transfer-Encoding: chunked\r\n\r\n7\r\nvalue=1\r\n0\r\n\r\n`
/** The answer to it ends the connection. */
const LAST = get('the-last-one', 'Connection: close\r\n')

/** All that comes back, but for what time changes. */
async function exchange(url: string, parts: readonly string[]): Promise<string> {
  const connection = await RawConnection.open(url)
  for (const part of parts) {
    connection.write(Buffer.from(part, 'latin1'))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => connection.ended, { what: `the end after ${JSON.stringify(parts)}: ${connection.pending}` })
  return connection.pending.replace(/Date: .*|X-Raft-Index: .*/g, '')
}

const ASKED: Readonly<Record<string, string>> = {
  'a key': get('a'),
  'the root': get(''),
  'a key that is not there': get('no'),
  'an escape': get('%61'),
  'a path that is cleaned': get('/a'),
  'a query that is no form': get('a?x=%zz'),
  'a flag that is none': get('a?recursive=maybe'),
  'a quorum': get('a?quorum=true'),
  'an event of the past': get('a?wait=true&waitIndex=4'),
  'another folder': `GET /v2/stats/store2 HTTP/1.1\r\n${HOST}\r\n`,
  'a refused write': put('a', 'value=1&prevExist=false'),
  'a refused delete': `DELETE /v2/keys/no HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
  'a write with no form': `PUT /v2/keys/a?prevIndex=1 HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhi`,
  'a form of bytes': put('a', 'value=%ff\xff&prevValue=no'),
  'an expectation': put('a', 'value=1&prevValue=no', 'Expect: 100-continue\r\n'),
  chunks: chunked,
  'a HEAD': `HEAD /v2/keys/a HTTP/1.1\r\n${HOST}\r\n`,
}

/** Refused by node:http, which ends the connection. */
const BROKEN: Readonly<Record<string, string>> = {
  'two lengths': put('a', 'value=1', 'Content-Length: 3\r\n'),
  'chunks and a length': put('a', 'value=1', 'Transfer-Encoding: chunked\r\n'),
  'a bare line feed': get('a', 'X: y\nTransfer-Encoding: chunked\r\n'),
  'no HTTP': 'hello\r\n\r\n',
}

test('the bytes of every answer are those of node:http', async () => {
  await using both = await startBoth()
  await exchange(both.front, [put('a', 'value=1') + LAST])
  const same = async (name: string, parts: readonly string[]) => {
    const [ours, nodes] = [await exchange(both.front, parts), await exchange(both.bare, parts)]
    assert.is(ours, nodes, name)
    assert.ok(ours.startsWith('HTTP/1.1 '), name)
  }
  for (const [name, text] of Object.entries(ASKED))
    for (const parts of [[text + LAST], [get('a') + text + get('a') + LAST], [get('a'), text, LAST]])
      await same(name, parts)
  for (const [name, text] of Object.entries(BROKEN)) await same(name, [text + LAST])
  await same('no Host', ['GET /v2/keys/a HTTP/1.1\r\n\r\n'])
})

test('what is broken ends the connection, whatever was asked before and follows it', async () => {
  await using both = await startBoth()
  for (const [name, text] of Object.entries(BROKEN)) {
    const answers = await exchange(both.front, [get('no') + text + put('smuggled', 'value=1')])
    assert.match(answers, /^HTTP\/1.1 404 .*HTTP\/1.1 400 /s, name)
  }
  assert.match(await exchange(both.front, [get('smuggled') + LAST]), /^HTTP\/1.1 404 /)
})

test('a request may be cut anywhere', async () => {
  await using both = await startBoth()
  await exchange(both.front, [put('a', 'value=1') + LAST])
  const text = get('a') + put('a', 'value=2&prevValue=no') + LAST
  const whole = await exchange(both.bare, [text])
  for (let at = 1; at < text.length; at += 1)
    assert.is(await exchange(both.front, [text.slice(0, at), text.slice(at)]), whole, `cut at ${at}`)
})

test('what is asked at once is answered in order, each after what was written before it', async () => {
  await using both = await startBoth()
  const connection = await RawConnection.open(both.front)
  const count = 300
  let text = ''
  for (let i = 0; i < count; i += 1) text += put('n', `value=${i}`) + get('n')
  connection.write(Buffer.from(text))
  for (let i = 0; i < count; i += 1) {
    assert.match((await connection.answer('PUT')).body, `"value":"${i}"`)
    assert.match((await connection.answer('GET')).body, `"value":"${i}"`)
  }
  connection.close()
})

test('who says no more still gets the answer', async () => {
  await using both = await startBoth()
  const socket = connect({ port: Number(new URL(both.front).port), host: '127.0.0.1' })
  socket.end(put('half', 'value=1') + get('half'))
  let received = ''
  for await (const chunk of socket) received += chunk
  assert.is(received.match(/"value":"1"/g)?.length, 2)
})

interface Served extends AsyncDisposable {
  readonly socket: Socket
  readonly handedOver: () => boolean
  readonly close: () => void
}

const LIMITS: Limits = { firstTimeoutMs: 60_000, idleTimeoutMs: 60_000, takeTimeoutMs: 60_000 }

async function served(ask: Ask, limits: Partial<Limits>): Promise<Served> {
  let handedOver = false
  let close: () => void = () => undefined
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const handOver = () => {
      handedOver = true
    }
    const connection = serveConnection(socket, ask, handOver, { ...LIMITS, ...limits })
    close = () => connection.close()
  })
  const socket = connect(Number(new URL(await urlOf(server)).port), '127.0.0.1')
  await Promise.all([once(socket, 'connect'), once(server, 'connection')])
  const dispose = async () => {
    socket.destroy()
    server.close()
  }
  return { socket, handedOver: () => handedOver, close: () => close(), [Symbol.asyncDispose]: dispose }
}

const answering: Ask = (_request, answer) => {
  answer(200, [], 'x')
  return true
}

test('who asks nothing is left to the deadlines of node:http', async () => {
  await using connection = await served(answering, { firstTimeoutMs: 20 })
  await until(connection.handedOver, { what: 'handed over' })
})

test('who asks no more is let go', async () => {
  await using connection = await served(answering, { idleTimeoutMs: 50 })
  connection.socket.resume().write(get('a'))
  await once(connection.socket, 'close')
  assert.not(connection.handedOver())
})

test('who takes no answers is asked no more, and let go', async () => {
  let asked = 0
  const large = 'x'.repeat(1024 * 1024)
  const ask: Ask = (_request, answer) => {
    asked += 1
    answer(200, [], large)
    return true
  }
  await using connection = await served(ask, { takeTimeoutMs: 100 })
  connection.socket.on('error', () => undefined).pause()
  connection.socket.write(get('a').repeat(1_000))
  const gone = once(connection.socket, 'close')
  await until(() => asked > 0, { what: 'asked' })
  connection.socket.write(get('a').repeat(1_000))
  setTimeout(() => connection.socket.resume(), 300)
  await gone
  assert.ok(asked < 50, `${asked} answers were made`)
})

test('a stop waits for the answer that is under way, and says that it is the last', async () => {
  const answers: (() => void)[] = []
  const ask: Ask = (_request, answer) => {
    answers.push(() => answer(200, [], 'x'))
    return true
  }
  await using connection = await served(ask, {})
  connection.socket.write(get('a') + get('b'))
  await until(() => answers.length > 0, { what: 'asked' })
  connection.close()
  answers[0]?.()
  let received = ''
  for await (const chunk of connection.socket) received += chunk
  assert.match(received, /\r\nConnection: close\r\n\r\nx$/)
  assert.is(answers.length, 1)
})

test.run()
