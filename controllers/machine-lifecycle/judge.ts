/**
 * Which machines have stopped renewing their lease, judged by this observer's monotonic clock since it last saw a change
 * (D6); the times written in leases are never looked at. How long a lease lasts is its machine's word: that is what the
 * machine stops its exclusive units by.
 *
 * Others must be heard for anybody to count as lost: when no machine at all was heard for a while, it is the control
 * plane (or this observer) that was cut off, frozen or disconnected. Nobody is lost then, and when the first machine is
 * heard again every one gets a full lease, because none had a chance to renew.
 */
export interface Judge {
  /** A machine that is known; its lease starts now when nothing was heard of it yet. */
  expect(machine: string, nowMs: number): void
  /** Its lease was seen at this version; only a new version counts. `durationMs`: what it says of itself. */
  heard(machine: string, version: string | undefined, nowMs: number, durationMs?: number): void
  forget(machine: string): void
  verdict(nowMs: number): Verdict
}

export interface Verdict {
  /** Machines whose lease ran out. */
  readonly stale: ReadonlySet<string>
  /** False: nobody is heard, so silence says nothing about a single machine, and nothing may be moved. */
  readonly trusted: boolean
}

interface Heard {
  version: string | undefined
  atMs: number
  durationMs: number
}

/** More than two renewals (every quarter of a lease), less than what an outage of everybody leaves: see `verdict`. */
const WITNESS_SHARE = 0.55

/** `leaseDurationMs` is that of a machine whose lease was not seen yet. */
export function createJudge(leaseDurationMs: number): Judge {
  const machines = new Map<string, Heard>()
  let lastHeardMs = Number.NEGATIVE_INFINITY
  const witnessMs = (): number => WITNESS_SHARE * longest(machines, leaseDurationMs)

  return {
    expect: (machine, nowMs) => {
      if (!machines.has(machine))
        machines.set(machine, { version: undefined, atMs: nowMs, durationMs: leaseDurationMs })
    },
    heard: (machine, version, nowMs, durationMs = leaseDurationMs) => {
      const before = machines.get(machine)
      if (before && before.version === version) return
      if (nowMs - lastHeardMs > witnessMs()) for (const other of machines.values()) other.atMs = nowMs
      lastHeardMs = nowMs
      machines.set(machine, { version, atMs: nowMs, durationMs })
    },
    forget: (machine) => void machines.delete(machine),
    /** Machines renew within a quarter lease of each other, so after an outage of all the first goes stale when the last
     * was heard at least half a lease ago: beyond `witnessMs` with the slack of one late renewal. */
    verdict: (nowMs) => {
      const isStale = ({ atMs, durationMs }: Heard) => nowMs - atMs >= durationMs
      return {
        stale: new Set([...machines].filter(([, heard]) => isStale(heard)).map(([name]) => name)),
        trusted: nowMs - lastHeardMs <= witnessMs(),
      }
    },
  }
}

/** With leases of different lengths the longest: whoever renews seldom is not heard oftener. */
function longest(machines: ReadonlyMap<string, Heard>, leaseDurationMs: number): number {
  if (machines.size === 0) return leaseDurationMs
  let durationMs = 0
  for (const heard of machines.values()) durationMs = Math.max(durationMs, heard.durationMs)
  return durationMs
}
