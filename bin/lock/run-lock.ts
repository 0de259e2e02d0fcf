/** `flotilla lock` and `flotilla elect`, from what was typed. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { parseDurationMs } from '../client/duration.ts'
import { parseEndpoints } from '../etcd-v2/endpoints.ts'
import { createKeysClient } from '../etcd-v2/keys-client.ts'
import { type Hold, hold } from './hold.ts'

export interface LockFlags {
  readonly ttl: string
  readonly wait?: string
  /** What other tools call `wait`. */
  readonly timeout?: string
  readonly endpoints: string
}

/** Shorter and a slow disk under the server would look like a loss. */
const MIN_TTL_SECONDS = 2
const MAX_TTL_SECONDS = 24 * 3_600
/** Longest time of a timer. */
const MAX_WAIT_MS = 2 ** 31 - 1

export interface LockRequest {
  readonly key: string
  readonly command: readonly string[]
  /** What the key holds; unless given, a text that no other process uses. */
  readonly value?: string
  readonly again: boolean
}

/** Sets the exit code. Throws a sentence for what cannot be meant. */
export async function runLock({ value, ...request }: LockRequest, flags: LockFlags): Promise<void> {
  const wait = flags.wait ?? flags.timeout
  const waitMs = wait === undefined ? undefined : Math.min(MAX_WAIT_MS, parseDurationMs(wait))
  const options = {
    ...request,
    key: absoluteKey(request.key),
    value: value ?? `${hostname()}:${process.pid}:${randomBytes(6).toString('hex')}`,
    isValueUnique: value === undefined,
    ttlSeconds: ttlSecondsOf(flags.ttl),
    ...(waitMs !== undefined && { waitMs }),
    say: (line: string) => void process.stderr.write(`flotilla: ${line}\n`),
  } satisfies Omit<Hold, 'keys'>
  if (value === '') throw new Error('--value may not be empty: it tells who leads')
  const keys = createKeysClient(parseEndpoints(flags.endpoints))
  try {
    process.exitCode = await hold({ ...options, keys })
  } finally {
    await keys.close()
  }
}

function absoluteKey(text: string): string {
  const segments = text.split('/').filter((segment) => segment !== '')
  if (segments.length === 0) throw new Error(`"${text}" is no key: give for example locks/backup`)
  if (segments.some((segment) => segment === '.' || segment === '..'))
    throw new Error(`"${text}" is no key: "." and ".." are no names`)
  return `/${segments.join('/')}`
}

/** etcd counts a TTL in whole seconds. */
function ttlSecondsOf(text: string): number {
  const seconds = Math.ceil(parseDurationMs(text) / 1_000)
  if (seconds >= MIN_TTL_SECONDS && seconds <= MAX_TTL_SECONDS) return seconds
  throw new Error(`--ttl ${text}: give between ${MIN_TTL_SECONDS}s and 24h`)
}
