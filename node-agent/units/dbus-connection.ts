/**
 * One connection to a message bus (or to a peer that speaks the protocol without a bus) that cannot hang.
 *
 * History: dbus-next's MessageBus never settles a call whose connection ended, has no close event, keeps the handler of
 * every unanswered call, and throws into nowhere when Hello is refused. Its wire half (handshake, marshalling, framing)
 * has none of these faults, so only that is used; the table of calls is ours. `unix:socket=` always takes node:net.
 */
import dbus from 'dbus-next'
import createConnection, { type Connection } from 'dbus-next/lib/connection.js'
import { DriverUnavailableError } from './driver.ts'

const DBUS = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' }
const PEER = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.DBus.Peer',
}
const PING_MS = 25
/** A bus may allow only 128 unanswered calls a connection, and cuts who exceeds it. */
const MAX_UNANSWERED = 100
const MAX_WAITING = 20_000

export interface BusCall {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly body?: readonly unknown[]
  /** Counted from the moment the call is asked for; default: the connection's. */
  readonly timeoutMs?: number
}

export interface BusSignal {
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly body: readonly unknown[]
}

export interface BusConnection {
  /** The reply's body. Rejects with BusRefusedError (the peer's no) or DriverUnavailableError (no answer). */
  call(call: BusCall): Promise<readonly unknown[]>
  addMatch(rule: string): Promise<void>
  /** Settles when the connection is gone, with the reason. */
  readonly closed: Promise<Error>
  close(): void
}

export interface BusConnectOptions {
  readonly socketPath: string
  readonly timeoutMs: number
  readonly onSignal: (signal: BusSignal) => void
  /** False for a peer-to-peer socket: no bus, so no Hello, no AddMatch, and all signals arrive unasked. */
  readonly isBus: boolean
}

/** The peer answered with an error: its D-Bus name and its own words. */
export class BusRefusedError extends Error {
  readonly errorName: string
  constructor(errorName: string, message: string) {
    super(message)
    this.errorName = errorName
  }
}

interface Pending {
  readonly message: dbus.Message
  readonly resolve: (body: readonly unknown[]) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export async function connectBus(options: BusConnectOptions): Promise<BusConnection> {
  const wire = createConnection({ busAddress: `unix:socket=${encodePath(options.socketPath)}` })
  const calls = callTable(wire, options.timeoutMs)
  const closed = watchEnd(wire, calls.rejectAll)
  wire.on('message', (message: dbus.Message) => {
    if (message.type === dbus.MessageType.SIGNAL) options.onSignal(signalOf(message))
    else calls.settle(message)
  })
  try {
    if (options.isBus) await calls.call({ ...DBUS, member: 'Hello' })
    else await greet(wire, closed, calls.call, options.timeoutMs)
  } catch (error) {
    wire.stream.destroy()
    throw error
  }
  return {
    call: calls.call,
    async addMatch(rule) {
      if (options.isBus) await calls.call({ ...DBUS, member: 'AddMatch', signature: 's', body: [rule] })
    },
    closed,
    close: () => wire.stream.destroy(),
  }
}

/** dbus-next splits an address at these characters and does not decode it, so such a path cannot be said. */
function encodePath(path: string): string {
  if (/[;:,=]/.test(path)) throw new Error(`bus socket path has a character D-Bus addresses cannot carry: ${path}`)
  return path
}

function signalOf(message: dbus.Message): BusSignal {
  return { path: message.path, interface: message.interface, member: message.member, body: message.body ?? [] }
}

function watchEnd(wire: Connection, rejectAll: (error: Error) => void): Promise<Error> {
  return new Promise((resolve) => {
    const end = (cause?: Error) => {
      const error = new DriverUnavailableError(
        `connection to the service manager is gone${cause ? `: ${cause.message}` : ''}`,
      )
      rejectAll(error)
      wire.stream.destroy()
      resolve(error)
    }
    wire.on('error', end)
    wire.on('end', () => end())
    wire.stream.on('close', () => end())
  })
}

/**
 * systemd's own socket sleeps on a first message that arrives together with the end of the handshake, until more bytes
 * come: so it is pinged, and pinged again, until it answers.
 */
async function greet(
  wire: Connection,
  closed: Promise<Error>,
  call: BusConnection['call'],
  timeoutMs: number,
): Promise<void> {
  const endsAt = performance.now() + timeoutMs
  await handshaken(wire, closed, timeoutMs)
  for (;;) {
    try {
      await call({ ...PEER, member: 'Ping', timeoutMs: PING_MS })
      return
    } catch (error) {
      if (error instanceof BusRefusedError) return
      if (wire.stream.destroyed || performance.now() > endsAt) throw error
    }
  }
}

function handshaken(wire: Connection, closed: Promise<Error>, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DriverUnavailableError(`no handshake in ${timeoutMs} ms`)), timeoutMs)
    wire.once('connect', () => {
      clearTimeout(timer)
      resolve()
    })
    void closed.then((error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}

function callTable(wire: Connection, defaultTimeoutMs: number) {
  const unanswered = new Map<number, Pending>()
  const waiting = new Map<number, Pending>()
  let lastSerial = 0
  let gone: Error | undefined

  const finish = (serial: number): Pending | undefined => {
    const pending = unanswered.get(serial) ?? waiting.get(serial)
    clearTimeout(pending?.timer)
    unanswered.delete(serial)
    waiting.delete(serial)
    return pending
  }
  const fail = (serial: number, error: Error) => finish(serial)?.reject(error)
  const sendNext = () => {
    for (const [serial, pending] of waiting) {
      if (unanswered.size >= MAX_UNANSWERED) return
      waiting.delete(serial)
      unanswered.set(serial, pending)
      try {
        wire.message(pending.message)
      } catch (error) {
        fail(serial, new DriverUnavailableError('sending to the service manager', { cause: error }))
      }
    }
  }
  const call = (request: BusCall): Promise<readonly unknown[]> =>
    new Promise((resolve, reject) => {
      if (gone) return reject(gone)
      if (waiting.size >= MAX_WAITING) return reject(new DriverUnavailableError(`${MAX_WAITING} calls wait already`))
      const serial = ++lastSerial
      const { member, timeoutMs = defaultTimeoutMs } = request
      const late = () => {
        fail(serial, new DriverUnavailableError(`${member}: no answer in ${timeoutMs} ms`))
        sendNext()
      }
      waiting.set(serial, { message: messageOf(request, serial), resolve, reject, timer: setTimeout(late, timeoutMs) })
      sendNext()
    })

  return {
    call,
    settle(reply: dbus.Message) {
      const pending = finish(Number(reply.replySerial))
      if (reply.type === dbus.MessageType.ERROR) pending?.reject(refusedBy(reply))
      else pending?.resolve(reply.body ?? [])
      sendNext()
    },
    rejectAll(error: Error) {
      gone = error
      for (const serial of [...unanswered.keys(), ...waiting.keys()]) fail(serial, error)
    },
  }
}

function refusedBy({ errorName, body }: dbus.Message): BusRefusedError {
  return new BusRefusedError(errorName, String(body?.[0] ?? errorName))
}

function messageOf(call: BusCall, serial: number): dbus.Message {
  return new dbus.Message({
    destination: call.destination,
    path: call.path,
    interface: call.interface,
    member: call.member,
    signature: call.signature ?? '',
    body: [...(call.body ?? [])],
    serial,
  })
}
