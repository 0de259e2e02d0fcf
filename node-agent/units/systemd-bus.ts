/**
 * systemd's D-Bus interface, kept connected: reconnects with backoff, subscribes again, tracks jobs, and turns signals
 * into hints about unit names. Signals are never truth here: a daemon-reload says UnitRemoved of everything.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Variant } from 'dbus-next'
import type { Logger } from 'pino'
import { type BusCall, type BusConnection, BusRefusedError, type BusSignal, connectBus } from './dbus-connection.ts'
import { DriverUnavailableError } from './driver.ts'
import { jobTable } from './systemd-jobs.ts'
import { unitOfPath } from './unit-name.ts'

const NAME = 'org.freedesktop.systemd1'
const MANAGER = { path: '/org/freedesktop/systemd1', interface: `${NAME}.Manager` }
const PROPERTIES = 'org.freedesktop.DBus.Properties'
const BACKOFF_MS = [20, 50, 100, 250, 500, 1000, 2000]

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
  managerProperty(property: string): Promise<unknown>
  property(path: string, interfaceName: string, property: string): Promise<unknown>
  /** How the job ended, in systemd's words (`done`, `failed`, `canceled`, …); '' when it did not within the time. */
  jobResult(job: string, timeoutMs: number): Promise<string>
  /** How the unit's last job failed, in the same words; '' when it did not, as far as this connection has seen. */
  failedJob(unit: string): string
  /** Calls back with a unit's name when it may have changed, with '' after each (re)connect. Returns the way to stop. */
  onHint(listener: (name: string) => void): () => void
  close(): Promise<void>
}

export interface SystemdBusOptions {
  readonly address: BusAddress
  readonly log: Logger
  /** How long systemd is waited for at first; 5 000 when absent. */
  readonly connectTimeoutMs?: number
  readonly callTimeoutMs?: number
}

/** Rejects with DriverUnavailableError when systemd is not there in time. */
export async function openSystemdBus(options: SystemdBusOptions): Promise<SystemdBus> {
  const { connectTimeoutMs = 5000, callTimeoutMs = 10_000 } = options
  const listeners = new Set<(name: string) => void>()
  const hint = (name: string) => {
    for (const listener of listeners) listener(name)
  }
  const jobs = jobTable()
  const onSignal = (signal: BusSignal) => {
    if (signal.member === 'JobRemoved')
      jobs.ended(String(signal.body[1]), String(signal.body[2]), String(signal.body[3]))
    if (signal.member === 'NameOwnerChanged') link.ownerChanged(signal.body[2] !== '')
    const unit = unitOfSignal(signal)
    if (unit) hint(unit)
  }
  const events = { onUp: () => hint(''), onDown: jobs.rejectAll, onSignal }
  const link = keepConnected({ ...options, connectTimeoutMs, callTimeoutMs, ...events })
  await link.firstUp
  return {
    ...systemdCalls(link.connection, callTimeoutMs),
    jobResult: jobs.result,
    failedJob: jobs.failureOf,
    onHint(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: link.close,
  }
}

/** Without a bus there are no match rules: signals come that were not asked for, about no unit. */
function unitOfSignal({ member, path, body }: BusSignal): string | undefined {
  if (member === 'JobRemoved') return String(body[2])
  if (member === 'UnitNew' || member === 'UnitRemoved') return String(body[0])
  return unitOfPath(path)
}

function systemdCalls(connection: () => BusConnection, defaultTimeoutMs: number) {
  const call = async (request: Omit<BusCall, 'destination'>) => {
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs
    const body = await answered(connection().call({ ...request, destination: NAME, timeoutMs }))
    return body.map(plain)
  }
  const property = async (path: string, interfaceName: string, name: string) => {
    const body = [interfaceName, name]
    return (await call({ path, interface: PROPERTIES, member: 'Get', signature: 'ss', body }))[0]
  }
  const manager: SystemdBus['manager'] = (member, signature = '', body = [], timeoutMs = defaultTimeoutMs) =>
    call({ ...MANAGER, member, signature, body, timeoutMs })
  return { manager, property, managerProperty: (name: string) => property(MANAGER.path, MANAGER.interface, name) }
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
  const firstUp = retry(up, options.connectTimeoutMs, stopping.signal)
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
    /** A new owner of the name knows nothing of our subscription. */
    ownerChanged(isThere: boolean) {
      // Losing this race means that the connection is closing, which is seen elsewhere.
      if (isThere && current) void subscribe(current, false).then(options.onUp, () => current?.close())
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
