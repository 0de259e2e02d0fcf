import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** The variable that marks a test file and all it starts, also what left its process group or its parent. */
export const MARK = 'FLOTILLA_TEST_MARK'

/** A new mark. Under a marked process it extends that one's, so that whoever ends the outer ends the inner too. */
export function newMark(): string {
  const outer = process.env[MARK]
  return outer === undefined ? randomUUID() : `${outer}/${randomUUID()}`
}

function carries(environ: string, mark: string): boolean {
  const own = environ.split('\0').find((variable) => variable.startsWith(`${MARK}=`)) ?? ''
  return own === `${MARK}=${mark}` || own.startsWith(`${MARK}=${mark}/`)
}

export interface Survivor {
  readonly pid: number
  readonly command: string
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // gone meanwhile, or another user's: not one of ours
  }
}

function isAlive(pid: number): boolean {
  const state = /\) (\S)/.exec(readOrEmpty(`/proc/${pid}/stat`))?.[1]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** Living processes whose environment carries the mark. */
export function survivorsOf(mark: string): Survivor[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => carries(readOrEmpty(`/proc/${pid}/environ`), mark) && isAlive(pid))
    .map((pid) => ({ pid, command: readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() || `pid ${pid}` }))
}

/** Waits up to `timeoutMs` for the marked processes to end by themselves; returns those that did not. */
export async function outliving(mark: string, timeoutMs: number): Promise<Survivor[]> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = survivorsOf(mark)
    if (left.length === 0 || performance.now() >= deadline) return left
    await delay(20)
  }
}

/** Kills every marked process, again and again while new ones appear. Bounded: gives up after some rounds. */
export async function killMarked(mark: string): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const left = survivorsOf(mark)
    if (left.length === 0) return
    for (const { pid } of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // ESRCH: it ended between the look and the kill.
      }
    }
    await delay(20)
  }
}
