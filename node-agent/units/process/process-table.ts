/** Looks at /proc: who is still alive, and which processes belong to a service. There is no cgroup to ask here. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const SHARED_MS = 2

export interface ProcessStat {
  readonly pid: number
  readonly state: string
  readonly session: number
  /** Clock ticks since boot: with the pid it names one process for good. */
  readonly startTicks: number
}

/** Undefined when there is no such process, or it is dead and only waits to be reaped. */
export function readProcess(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may itself hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const state = fields[0] ?? ''
    return state === 'Z' || state === 'X'
      ? undefined
      : { pid, state, session: Number(fields[3]), startTicks: Number(fields[19]) }
  } catch {
    // It is gone, or was gone between the two reads.
    return undefined
  }
}

interface Scanned extends ProcessStat {
  readonly invocation: string
}

export interface ProcessTable {
  /**
   * Living processes started for this invocation: those of its session, and those that still carry its id. The look is
   * taken after the call, so that an empty answer is the truth.
   */
  membersOf(invocation: string, leaderPid: number): Promise<readonly number[]>
}

/** Many services stop at once and each asks: one look at /proc serves all who asked before it. */
export function processTable(): ProcessTable {
  let next: Promise<readonly Scanned[]> | undefined
  const look = async (): Promise<readonly Scanned[]> => {
    await delay(SHARED_MS)
    next = undefined
    return scan()
  }
  return {
    async membersOf(invocation, leaderPid) {
      next ??= look()
      const belongs = (found: Scanned) =>
        found.invocation === invocation || (leaderPid > 0 && found.session === leaderPid)
      return (await next).filter(belongs).map(({ pid }) => pid)
    },
  }
}

/** A process that carries the invocation's id, the first of its session if there is one. */
export function findCarrier(invocation: string): ProcessStat | undefined {
  const carriers = scan().filter((found) => found.invocation === invocation)
  return carriers.find(({ pid, session }) => pid === session) ?? carriers[0]
}

function scan(): Scanned[] {
  const found: Scanned[] = []
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? readProcess(Number(entry)) : undefined
    if (stat) found.push({ ...stat, invocation: invocationOf(stat.pid) })
  }
  return found
}

function invocationOf(pid: number): string {
  try {
    return /(?:^|\0)INVOCATION_ID=([0-9a-f]{32})/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1] ?? ''
  } catch {
    // Another user's process, or one that is gone: not ours.
    return ''
  }
}
