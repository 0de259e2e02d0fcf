/** A peer that misbehaves, over a real socket: whatever it does, no call hangs. */
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectBus } from '../../../../node-agent/units/dbus-connection.ts'
import { DriverUnavailableError } from '../../../../node-agent/units/driver.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { within } from '../../../support/within.ts'

const CALL = { destination: 'a.b', path: '/a', interface: 'a.b', member: 'Nothing' }
const test = suite<{ servers: Server[]; sockets: Socket[] }>('connections to a message bus', {
  servers: [],
  sockets: [],
})

test.after.each(({ servers, sockets }) => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

interface Context {
  readonly servers: Server[]
  readonly sockets: Socket[]
}

async function peer({ servers, sockets }: Context, onData: (socket: Socket, text: string) => void): Promise<string> {
  const path = join(tempDir(), 'bus')
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('data', (data) => onData(socket, data.toString('latin1')))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return path
}

function handshake(socket: Socket, text: string): void {
  if (text.includes('AUTH EXTERNAL')) socket.write(`OK ${'0'.repeat(32)}\r\n`)
}

/** A D-Bus method return to the serial found in the first message of the chunk. */
function emptyReply(serial: number): Buffer {
  const reply = Buffer.alloc(24)
  reply.write('l', 0)
  reply.set([2, 1, 1], 1)
  reply.writeUInt32LE(1, 8)
  reply.writeUInt32LE(8, 12)
  reply.set([5, 1, 'u'.charCodeAt(0), 0], 16)
  reply.writeUInt32LE(serial, 20)
  return reply
}

function connect(socketPath: string, timeoutMs = 100) {
  return connectBus({ socketPath, timeoutMs, isBus: true, onSignal: () => undefined })
}

async function rejects(work: Promise<unknown>): Promise<Error> {
  const error = await within(
    3000,
    work.then(
      () => undefined,
      (failure: unknown) => failure,
    ),
    'the rejection',
  )
  assert.instance(error, DriverUnavailableError)
  return error as Error
}

test('nobody at the socket is said at once', () => rejects(connect(join(tempDir(), 'none'))).then(() => undefined))

test('a peer that never answers the greeting is given up', async (context) => {
  await rejects(connect(await peer(context, () => undefined)))
})

test('a call that is not answered ends at its deadline, and all calls end with the connection', async (context) => {
  const path = await peer(context, (socket, text) => {
    handshake(socket, text)
    if (text.includes('Hello')) socket.write(emptyReply(1))
  })
  const bus = await connect(path)
  assert.match((await rejects(bus.call({ ...CALL, timeoutMs: 30 }))).message, 'no answer in 30 ms')
  const pending = Array.from({ length: 300 }, () => rejects(bus.call({ ...CALL, timeoutMs: 60_000 })))
  for (const socket of context.sockets) socket.destroy()
  await Promise.all(pending)
  assert.instance(await within(1000, bus.closed, 'the news of the end'), DriverUnavailableError)
  await rejects(bus.call(CALL))
})

test('a socket path that an address cannot carry is refused in words', async () => {
  const error = await connect('/run/a,b=c').then(
    () => undefined,
    (failure: unknown) => failure,
  )
  assert.match(String(error), /cannot carry/)
})

test.run()
