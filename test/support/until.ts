import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { within } from './within.ts'

export interface UntilOptions {
  /** How long the condition may take to hold. Default 5 000. */
  readonly timeoutMs?: number
  /** What is awaited, in words: it opens the error message. */
  readonly what: string
}

const LONGEST_PAUSE_MS = 25
const SHOWN_CHARACTERS = 500

function show(value: unknown): string {
  const text = value instanceof Error ? String(value) : inspect(value, { depth: 4, breakLength: 120 })
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}

/**
 * Asks `condition` again and again (at most 25 ms apart) until its answer is truthy, and returns that answer.
 * A throw counts as "not yet". On time-out the error names what was awaited and the last answer or throw.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 5_000, what }: UntilOptions,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const deadline = performance.now() + timeoutMs
  let last: unknown
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const leftMs = Math.max(1, Math.ceil(deadline - performance.now()))
    try {
      const answer = await within(leftMs, Promise.resolve().then(condition), 'the condition itself')
      if (answer) return answer as Exclude<T, undefined | null | false | 0 | ''>
      last = answer
    } catch (error) {
      last = error
    }
    if (performance.now() >= deadline) throw new Error(`${what}: not within ${timeoutMs} ms; last: ${show(last)}`)
    await delay(pauseMs)
  }
}
