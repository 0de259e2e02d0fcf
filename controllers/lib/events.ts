/**
 * Tells people what happened, as Event objects. Never blocks or fails its caller: what cannot be sent in time is dropped
 * and counted. The same thing said again raises the count of its Event; an object that talks too much is cut short.
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { Event } from '../../crds/core/index.ts'
import { EVENT_NAMESPACE } from '../../crds/group.ts'
import type { Metadata } from '../../crds/kind.ts'
import { isApiError } from './api-error.ts'
import type { ApiWriter } from './client.ts'
import { type Clock, systemClock } from './clock.ts'
import { createQueue } from './queue.ts'
import type { Runnable } from './runnable.ts'

export interface Subject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Pick<Metadata, 'name' | 'namespace' | 'uid' | 'resourceVersion'>
}
export interface Saying {
  readonly type: 'Normal' | 'Warning'
  /** One CamelCase word. */
  readonly reason: string
  readonly message: string
}

export interface EventRecorder extends Runnable {
  record(subject: Subject, saying: Saying): void
  /** Sayings that were never sent: too many at once, or from one object. */
  readonly dropped: number
}

export interface RecorderOptions {
  readonly client: Pick<ApiWriter, 'create' | 'patch'>
  /** Who says it, for example `scheduler`. */
  readonly component: string
  readonly host?: string
  readonly log: Logger
  readonly clock?: Clock
}

/** Different sayings remembered for counting; the oldest is forgotten first. */
const MAX_KNOWN = 2_048
const MAX_WAITING = 1_000
const SENDERS = 4
/** Per object: so many at once, then one every REFILL_MS (client-go: 25 and 5 minutes). */
const BURST = 25
const REFILL_MS = 30_000
const MAX_MESSAGE_LENGTH = 1_024

interface Known {
  readonly subject: Subject
  readonly saying: Saying
  readonly firstTimestamp: string
  lastTimestamp: string
  count: number
  /** Name of the Event object, once created. */
  name: string | undefined
}

export function createRecorder(options: RecorderOptions): EventRecorder {
  const { log, component, clock = systemClock } = options
  const queue = createQueue({ clock })
  const known = createBounded<Known>(MAX_KNOWN)
  const allowed = createLimiter(clock)
  let dropped = 0

  const record = (subject: Subject, saying: Saying): void => {
    const key = JSON.stringify([subject.kind, subject.metadata.name, subject.metadata.uid, saying])
    const now = timestamp(clock)
    const before = known.get(key)
    if (!allowed(`${subject.kind}/${subject.metadata.name}`) || (queue.size >= MAX_WAITING && !before)) {
      dropped++
      return
    }
    const event = before ?? { subject, saying, firstTimestamp: now, lastTimestamp: now, count: 0, name: undefined }
    event.count++
    event.lastTimestamp = now
    known.set(key, event)
    queue.add(key)
  }
  const send = async (signal: AbortSignal): Promise<void> => {
    for (let key = await queue.take(signal); key !== undefined; key = await queue.take(signal)) {
      const event = known.get(key)
      try {
        if (event) await sendEvent(options, event, signal)
      } catch (error) {
        // People can do without; trying again would only add to what is wrong already.
        if (!signal.aborted) log.debug({ component, err: error }, 'event not sent')
      }
      queue.done(key)
    }
  }
  return {
    name: `events of ${component}`,
    record,
    get dropped() {
      return dropped
    },
    start: async (signal) => {
      await Promise.all(Array.from({ length: SENDERS }, () => send(signal)))
    },
  }
}

async function sendEvent(options: RecorderOptions, event: Known, signal: AbortSignal): Promise<void> {
  const { client } = options
  const namespace = namespaceOf(event.subject)
  if (event.name !== undefined) {
    const body = { count: event.count, lastTimestamp: event.lastTimestamp }
    try {
      await client.patch(Event, event.name, { type: 'merge', body, namespace, signal })
      return
    } catch (error) {
      // Events expire; the next one starts a new object.
      if (!isApiError(error, 404)) throw error
    }
  }
  const created = await client.create(Event, eventObject(options, event, namespace), { namespace, signal })
  event.name = created.metadata.name
}

function eventObject({ component, host }: RecorderOptions, event: Known, namespace: string) {
  const { subject, saying, firstTimestamp, lastTimestamp, count } = event
  const { name, uid, resourceVersion } = subject.metadata
  return {
    metadata: { name: eventName(name), namespace },
    involvedObject: {
      apiVersion: subject.apiVersion,
      kind: subject.kind,
      name,
      ...(subject.metadata.namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    ...saying,
    message: saying.message.slice(0, MAX_MESSAGE_LENGTH),
    source: { component, ...(host === undefined ? {} : { host }) },
    reportingComponent: component,
    reportingInstance: host ?? '',
    firstTimestamp,
    lastTimestamp,
    count,
  }
}

/** Unit names may hold what names of Events may not. */
function eventName(name: string): string {
  const legal = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[.-]+|[.-]+(?=\.)|[.-]+$/g, '')
  return `${legal.slice(0, 200).replace(/[.-]+$/, '') || 'object'}.${randomBytes(8).toString('hex')}`
}

function namespaceOf({ metadata }: Subject): string {
  return metadata.namespace ?? EVENT_NAMESPACE
}

function timestamp(clock: Clock): string {
  return clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
}

/** A Map that forgets its least recently set entry when it is full. */
function createBounded<T>(max: number) {
  const entries = new Map<string, T>()
  return {
    get: (key: string) => entries.get(key),
    set: (key: string, value: T): void => {
      entries.delete(key)
      entries.set(key, value)
      for (const oldest of entries.keys()) {
        if (entries.size <= max) return
        entries.delete(oldest)
      }
    },
  }
}

/** One token bucket an object, in monotonic time. */
function createLimiter(clock: Clock): (subject: string) => boolean {
  const buckets = createBounded<{ tokens: number; atMs: number }>(MAX_KNOWN)
  return (subject) => {
    const nowMs = clock.monotonicMs()
    const bucket = buckets.get(subject) ?? { tokens: BURST, atMs: nowMs }
    const tokens = Math.min(BURST, bucket.tokens + (nowMs - bucket.atMs) / REFILL_MS)
    buckets.set(subject, { tokens: tokens < 1 ? tokens : tokens - 1, atMs: nowMs })
    return tokens >= 1
  }
}
