/**
 * systemd's D-Bus interface, kept connected: reconnects with backoff, subscribes again, tracks jobs, and turns signals
 * into hints about unit names. Signals are never truth here: a daemon-reload says UnitRemoved of everything.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Variant } from 'dbus-next'
import type { Logger } from 'pino'
import { type BusConnection, BusRefusedError, type BusSignal, connectBus } from './dbus-connection.ts'
import { DriverUnavailableError } from './driver.ts'
import { jobTable } from './systemd-jobs.ts'
import { unitOfPath } from './unit-name.ts'

const NAME = 'org.freedesktop.systemd1'
const MANAGER = { path: '/org/freedesktop/systemd1', interface: `${NAME}.Manager` }
const PROPERTIES = 'org.freedesktop.DBus.Properties'
const BACKOFF_MS = [20, 50, 100, 250, 500, 1000, 2000]
const FIRST_CONNECT_MS = 5000

/**
 * Only what the driver needs: every change of a unit is told twice, for its type and for Unit; the second alone is
 * asked for. That halves what has to be parsed when many units start at once.
 */
const MATCHES = [
  ...['JobRemoved', 'UnitNew', 'UnitRemoved'].map((m) => `type='signal',sender='${NAME}',member='${m}'`),
  `type='signal',sender='${NAME}',interface='${PROPERTIES}',member='PropertiesChanged',arg0='${NAME}.Unit'`,
  `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${NAME}'`,
]

/** Errors by which the bus says that systemd did not answer, as opposed to systemd saying no. */
const NOT_ANSWERED = new Set(
  ['NoReply', 'Disconnected', 'ServiceUnknown', 'NameHasNoOwner', 'Timeout', 'TimedOut', 'LimitsExceeded'].map(
    (name) => `org.freedesktop.DBus.Error.${name}`,
  ),
)

export interface BusAddress {
  readonly socketPath: string
  /** False for systemd's own private socket, which is no bus. */
  readonly isBus: boolean
}

export interface SystemdBus {
  /** Rejects with BusRefusedError (systemd's no) or DriverUnavailableError (no answer). */
  manager(
    member: string,
    signature?: string,
    body?: readonly unknown[],
    timeoutMs?: number,
  ): Promise<readonly unknown[]>
  property(path: string, interfaceName: string, property: string): Promise<unknown>
  /** How the job ended, in systemd's words (`done`, `failed`, `canceled`, …); '' when it did not within the time. */
  jobResult(job: string, timeoutMs: number): Promise<string>
  /** Calls back with a unit's name when it may have changed, with '' after each (re)connect. Returns the way to stop. */
  onHint(listener: (name: string) => void): () => void
  close(): Promise<void>
}

export interface SystemdBusOptions {
  readonly address: BusAddress
  readonly log: Logger
  readonly callTimeoutMs?: number
}

/** Rejects with DriverUnavailableError when systemd is not there within five seconds. */
export async function openSystemdBus({ address, log, callTimeoutMs = 10_000 }: SystemdBusOptions): Promise<SystemdBus> {
  const listeners = new Set<(name: string) => void>()
  const hint = (name: string) => {
    for (const listener of listeners) listener(name)
  }
  const jobs = jobTable()
  const link = keepConnected({ address, log, callTimeoutMs, onUp: () => hint(''), onDown: jobs.rejectAll, onSignal })

  function onSignal({ member, path, body }: BusSignal): void {
    if (member === 'JobRemoved') {
      jobs.ended(String(body[1]), String(body[3]))
      hint(String(body[2]))
    } else if (member === 'UnitNew' || member === 'UnitRemoved') hint(String(body[0]))
    else if (member === 'NameOwnerChanged' && body[2] !== '') link.resubscribe()
    else {
      const name = unitOfPath(path)
      if (name) hint(name)
    }
  }

  await link.firstUp
  const call = async (
    path: string,
    iface: string,
    member: string,
    signature = '',
    body: readonly unknown[] = [],
    timeoutMs = callTimeoutMs,
  ) =>
    (
      await answered(
        link.connection().call({ destination: NAME, path, interface: iface, member, signature, body, timeoutMs }),
      )
    ).map(plain)
  return {
    manager: (member, signature, body, timeoutMs) =>
      call(MANAGER.path, MANAGER.interface, member, signature, body, timeoutMs),
    property: async (path, iface, property) => (await call(path, PROPERTIES, 'Get', 'ss', [iface, property]))[0],
    jobResult: jobs.result,
    onHint(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: link.close,
  }
}

interface LinkOptions extends Required<SystemdBusOptions> {
  readonly onUp: () => void
  readonly onDown: (error: Error) => void
  readonly onSignal: (signal: BusSignal) => void
}

function keepConnected(options: LinkOptions) {
  const stopping = new AbortController()
  let current: BusConnection | undefined
  let last: Error = new DriverUnavailableError('not connected to systemd yet')
  const up = async () => {
    const connection = await connectBus({
      ...options.address,
      timeoutMs: options.callTimeoutMs,
      onSignal: options.onSignal,
    })
    await subscribe(connection, options.address.isBus).catch((error: unknown) => {
      connection.close()
      throw error
    })
    current = connection
    return connection
  }
  const firstUp = retry(up, FIRST_CONNECT_MS, stopping.signal)
  const running = follow()
  async function follow(): Promise<void> {
    let next: Promise<BusConnection> = firstUp
    for (;;) {
      // Without a first connection there is nothing to keep (the opener got the error); later ones end only by close.
      const connection = await next.catch(() => undefined)
      if (!connection) return
      options.onUp()
      last = await connection.closed
      current = undefined
      options.onDown(last)
      if (!stopping.signal.aborted) options.log.warn({ err: last }, 'lost systemd, reconnecting')
      next = retry(up, Number.POSITIVE_INFINITY, stopping.signal)
    }
  }
  return {
    firstUp,
    connection(): BusConnection {
      if (!current) throw last
      return current
    },
    resubscribe() {
      // A new owner of the name knows nothing of our subscription. Losing this race means the connection is closing.
      if (current) void subscribe(current, false).then(options.onUp, () => current?.close())
    },
    async close() {
      stopping.abort()
      current?.close()
      await running
    },
  }
}

async function subscribe(connection: BusConnection, withMatches: boolean): Promise<void> {
  if (withMatches) await Promise.all(MATCHES.map((rule) => connection.addMatch(rule)))
  await answered(connection.call({ destination: NAME, ...MANAGER, member: 'Subscribe' })).catch((error: unknown) => {
    if (!(error instanceof BusRefusedError) || !error.errorName.endsWith('.AlreadySubscribed')) throw error
  })
}

/** Tries until it works, the time is over (then the last error) or `signal` aborts. */
async function retry<T>(work: () => Promise<T>, withinMs: number, signal: AbortSignal): Promise<T> {
  const endsAt = performance.now() + withinMs
  for (let attempt = 0; ; attempt++) {
    try {
      signal.throwIfAborted()
      return await work()
    } catch (error) {
      const waitMs = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? 2000
      if (signal.aborted || performance.now() + waitMs > endsAt) throw error
      await delay(waitMs, undefined, { signal })
    }
  }
}

async function answered<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply
  } catch (error) {
    if (!(error instanceof BusRefusedError) || !NOT_ANSWERED.has(error.errorName)) throw error
    throw new DriverUnavailableError(`systemd did not answer: ${error.message}`, { cause: error })
  }
}

/** Wire values as plain ones: variants opened, 64-bit numbers (times, limits: all that matter are below 2^53) as numbers. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Variant) return plain(value.value)
  return Array.isArray(value) ? value.map(plain) : value
}
