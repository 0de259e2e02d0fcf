/**
 * A watcher of the same ConfigMaps: begun at a known resourceVersion, resumed after each break from the last one seen,
 * at the next server. And what it must have been told, given what the writers were told.
 */
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { PATH, type Recording } from './recorder.ts'
import type { Target } from './target.ts'

export interface Told {
  readonly type: string
  readonly key: string
  readonly token: string
  readonly version: bigint
}

export interface Watcher {
  readonly told: readonly Told[]
  /** How often it had to begin again. */
  readonly resumed: number
  /** Rejects when a server said what ends a watch for good, such as 410. */
  stop(): Promise<void>
}

const PAUSE_MS = 20

export function startWatcher(targets: readonly Target[], after: bigint, first = 0): Watcher {
  const stop = new AbortController()
  const told: Told[] = []
  let resumed = -1
  const run = async () => {
    for (let at = first; !stop.signal.aborted; at++) {
      resumed += 1
      const target = targets[at % targets.length] as Target
      const from = told.at(-1)?.version ?? after
      await oneWatch(target, from, stop.signal, (event) => told.push(event))
      await delay(PAUSE_MS)
    }
  }
  const ended = run()
  ended.catch(() => undefined) // told to whoever stops it
  return {
    told,
    get resumed() {
      return resumed
    },
    async stop() {
      stop.abort()
      await ended
    },
  }
}

/** Resolves when it breaks, for whatever reason; rejects when it is refused for good. */
function oneWatch(target: Target, from: bigint, signal: AbortSignal, onEvent: (event: Told) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `${PATH}?watch=1&resourceVersion=${from}`
    const sent = request({ ...target, path, agent: false, signal })
    sent.on('error', () => resolve())
    sent.on('close', () => resolve())
    sent.on('response', (response: IncomingMessage) => {
      if (response.statusCode !== 200 && (response.statusCode ?? 0) < 500)
        reject(new Error(`the watch from ${from} was refused with ${response.statusCode}`))
      response.on('error', () => resolve())
      const lines = createInterface({ input: response }).on('error', () => resolve())
      lines.on('line', (line) => {
        const event = eventIn(line)
        if (event instanceof Error) reject(event)
        else if (event) onEvent(event)
      })
    })
    sent.end()
  })
}

/** Undefined for half a line, the last one of a server that was killed while it wrote. */
function eventIn(line: string): Told | Error | undefined {
  let event: {
    type: string
    object: { metadata: { name: string; resourceVersion: string }; data?: { token?: string } }
  }
  try {
    event = JSON.parse(line)
  } catch {
    return undefined
  }
  const { type, object } = event
  if (type === 'ERROR') return new Error(`the watch was ended: ${line}`)
  const { metadata, data } = object
  return { type, key: metadata.name, token: data?.token ?? '', version: BigInt(metadata.resourceVersion) }
}

const TYPES = { create: 'ADDED', replace: 'MODIFIED', remove: 'DELETED' } as const

/** Every acknowledged change once, in order, as what it was; and nothing that nobody wrote. */
export function checkTold(told: readonly Told[], { acknowledged, tried }: Recording): void {
  const seen = new Map<string, Told>()
  let before = 0n
  for (const event of told) {
    assert.ok(event.version > before, `${event.version} was told after ${before}`)
    before = event.version
    const name = `${event.type} ${event.key} ${event.token}`
    assert.not.ok(seen.has(name), `told twice: ${name}`)
    assert.ok(tried.has(event.token) || !event.key.startsWith('lin-'), `nobody wrote this: ${name}`)
    seen.set(name, event)
  }
  for (const { key, action, version } of acknowledged) {
    const name = `${TYPES[action.do]} ${key} ${action.do === 'remove' ? action.expected : action.token}`
    const event = seen.get(name)
    assert.ok(event, `acknowledged and never told: ${name} @${version}`)
    if (version !== undefined) assert.is(event.version, version, name)
  }
}
