import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InFlight } from '../../../../api-server/http/in-flight.ts'
import { sendPieces, warningHeaders } from '../../../../api-server/http/reply.ts'
import { until } from '../../../support/until.ts'
import { within } from '../../../support/within.ts'

const test = suite('answers')

/** Runs `serve` for one request and gives the answer's beginning. */
async function answered<T>(
  serve: (response: ServerResponse) => Promise<void>,
  use: (answer: IncomingMessage) => Promise<T>,
): Promise<T> {
  const server = createServer((_request, response) => {
    serve(response).catch(() => response.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const asked = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  try {
    const [answer] = (await within(3_000, once(asked, 'response'), 'the answer')) as [IncomingMessage]
    return await use(answer)
  } finally {
    asked.destroy()
    server.closeAllConnections()
    server.close()
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of answer.setEncoding('utf8')) text += piece
  return text
}

test('a short list leaves in one piece and says how long it is', () =>
  answered(
    (response) => sendPieces(response, '[', ['1', Buffer.from('2'), '3'], ']'),
    async (answer) => {
      assert.is(answer.headers['content-length'], '7')
      assert.is(await textOf(answer), '[1,2,3]')
    },
  ))

test('a long list leaves piece by piece, as fast as it is taken', async () => {
  let made = 0
  function* pieces() {
    for (; made < 2_000; made++) yield JSON.stringify('x'.repeat(10_000))
  }
  await answered(
    (response) => sendPieces(response, '[', pieces(), ']'),
    async (answer) => {
      answer.pause()
      await until(() => made > 0, { what: 'the first pieces' })
      const held = made
      assert.ok(held < 1_500, `${held} of 2 000 made while nobody reads`)
      assert.is((JSON.parse(await textOf(answer)) as string[]).length, 2_000)
    },
  )
})

test('a list that fails midway is cut off, never ended as if it were whole', () => {
  function* pieces() {
    for (let n = 0; n < 100; n++) yield 'x'.repeat(10_000)
    throw new Error('the last piece cannot be made')
  }
  return answered(
    (response) => sendPieces(response, '[', pieces(), ']'),
    async (answer) => {
      const failure = await textOf(answer).catch((error: unknown) => error)
      assert.instance(failure, Error)
    },
  )
})

test('whoever leaves in the middle of a list ends its making, and leaves no listeners behind', async () => {
  let made = 0
  let left: ServerResponse | undefined
  function* pieces() {
    for (;;) {
      made++
      yield 'x'.repeat(10_000)
    }
  }
  let done = false
  await answered(
    async (response) => {
      left = response
      await sendPieces(response, '[', pieces(), ']')
      done = true
    },
    async (answer) => {
      for await (const _piece of answer) if (made > 500) break
      answer.destroy()
      await until(() => done, { what: 'the sending to end' })
    },
  )
  assert.is(left?.listenerCount('drain'), 0)
  assert.ok((left?.listenerCount('close') ?? 0) <= 1)
})

test('warnings are quoted, and too many or too long ones are left out', () => {
  assert.equal(warningHeaders([]), {})
  assert.equal(warningHeaders(['unknown field "a\\b"\r\n\u00e9']).warning, ['299 - "unknown field \\"a\\\\b\\"???"'])
  const { warning = [] } = warningHeaders(Array.from({ length: 1_000 }, () => 'x'.repeat(1_000)))
  assert.ok(warning.length > 5 && warning.join('').length <= 4_096)
})

test('what is in flight is waited for, and not for ever', async () => {
  const inFlight = new InFlight()
  await within(100, inFlight.settle(5_000), 'nothing')
  let end = (): void => {}
  await answered(
    async (response) => {
      inFlight.add(response)
      response.flushHeaders()
      end = () => response.end()
    },
    async () => {
      const start = performance.now()
      await inFlight.settle(50)
      assert.ok(performance.now() - start >= 45)
      const settled = inFlight.settle(5_000)
      end()
      await within(1_000, settled, 'the last answer to leave')
    },
  )
})

test.run()
