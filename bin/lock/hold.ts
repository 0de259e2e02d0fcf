/**
 * `flotilla lock` and `flotilla elect`: a command that runs while a key is ours and at no other time.
 *
 * What it promises it promises by time: two commands never run at once, however slow or unreachable the servers are, as
 * long as this process is scheduled. Whoever fears a frozen machine checks FLOTILLA_LOCK_INDEX at the resource.
 */
import { setMaxListeners } from 'node:events'
import { systemClock } from '../../controllers/lib/clock.ts'
import type { KeyNode } from '../etcd-v2/keys-client.ts'
import { UnavailableError } from '../etcd-v2/keys-error.ts'
import { acquire, attempt, type Candidate } from './campaign.ts'
import { CannotRunError } from './guarded-command.ts'
import type { HeldKey } from './keeper.ts'
import { releaseKey } from './release.ts'
import { listenForSignals, type Signals } from './signals.ts'
import { runTerm, type TermOptions } from './term.ts'

export interface Hold extends TermOptions {
  /** Absolute: `/locks/backup`. */
  readonly key: string
  readonly value: string
  /** See Candidate. */
  readonly isValueUnique: boolean
  readonly ttlSeconds: number
  /** How long to wait for the key; absent: for ever; 0: one try. */
  readonly waitMs?: number
  /** After a loss: wait for the key and run the command again. */
  readonly again: boolean
}

/** What scripts can tell apart; otherwise the command's own exit code is passed on. */
export const EXIT = { lost: 74, notObtained: 75 } as const

const WITHDRAW_TIMEOUT_MS = 2_000
const MAX_SHOWN = 80

/** The exit code. Rejects with what keeps the key from being taken at all: no rights, a directory in its place. */
export async function hold(options: Hold): Promise<number> {
  const signals = listenForSignals()
  try {
    for (;;) {
      const taken = await take(options, signals)
      if (typeof taken === 'number') return taken
      const { code, lost } = await runTerm(options, taken, signals)
      if (lost === undefined) return code
      if (!options.again) return EXIT.lost
    }
  } catch (error) {
    if (!(error instanceof CannotRunError)) throw error
    options.say(error.message)
    return error.exitCode
  } finally {
    signals.close()
  }
}

/** The time to wait is over, or was none. */
class NotObtainedError extends Error {}

/** The key, or the code to exit with. */
async function take(options: Hold, signals: Signals): Promise<HeldKey | number> {
  const { key, waitMs, say } = options
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const obstacle = { text: 'no answer came' }
  const candidate = candidateOf(options, obstacle)
  const timer = waitMs ? setTimeout(() => stop.abort(new NotObtainedError()), waitMs) : undefined
  signals.onEnding(() => stop.abort(new Error('interrupted')))
  try {
    return await (waitMs === 0 ? tryOnce(candidate, stop.signal) : acquire(candidate, stop.signal))
  } catch (error) {
    await withdraw(options)
    const code = signals.endedCode()
    if (code !== undefined) return code
    if (!(error instanceof NotObtainedError)) throw error
    say(`${key} was not obtained${waitMs ? ` within ${waitMs / 1000} s` : ''}: ${obstacle.text}`)
    return EXIT.notObtained
  } finally {
    clearTimeout(timer)
    signals.onEnding(undefined)
  }
}

/** Says what is waited for whenever that changes; `obstacle` keeps what stood in the way last. */
function candidateOf(options: Hold, obstacle: { text: string }): Candidate {
  const meet = (text: string): void => {
    if (options.waitMs !== 0 && obstacle.text !== text) options.say(`waiting for ${options.key}: ${text}`)
    obstacle.text = text
  }
  return {
    ...options,
    onHeldByOther: (node) => meet(`held by ${describeHolder(node)}`),
    onTrouble: ({ message }) => meet(message),
  }
}

function describeHolder({ value = '', expiration }: KeyNode): string {
  const shown = value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value
  return `"${shown}"${expiration === undefined ? ' without a TTL' : ''}`
}

async function tryOnce(candidate: Candidate, signal: AbortSignal): Promise<HeldKey> {
  try {
    const found = await attempt(candidate, systemClock, signal)
    if ('sentMs' in found) return found
    candidate.onHeldByOther(found.node)
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    candidate.onTrouble(error)
  }
  throw new NotObtainedError()
}

/** A request whose answer was not awaited may have made the key: it is not to stand in others' way for its whole TTL. */
async function withdraw({ keys, key, value, isValueUnique }: Hold): Promise<void> {
  if (!isValueUnique) return
  const isOurs = (node: KeyNode): boolean => node.value === value
  await releaseKey(keys, { key, isOurs, timeoutMs: WITHDRAW_TIMEOUT_MS }).catch(() => {
    // Nobody answers: then the TTL ends it.
  })
}
