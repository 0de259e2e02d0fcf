/**
 * How long machines have had their NoExecute taints, and when some tolerationSeconds of somebody run out. By the clock of
 * this process, from when the taint was first seen; `timeAdded`, where it is given, puts that back, so that a change of
 * leader does not give more time.
 */
import type { Machine } from '../../crds/machine.ts'
import type { Ask } from './ask.ts'
import type { MutableHost } from './host.ts'
import type { Host } from './rules/rule.ts'

export type Taint = NonNullable<NonNullable<Machine['spec']>['taints']>[number]

export interface TaintTimes {
  /** 0 of a taint that nobody has seen there yet. */
  forMs(host: Host, taint: Taint): number
  /** Machines about which its own times are asked for the first time. */
  add(ask: Ask): readonly MutableHost[]
  remove(ask: Ask): void
  setHost(host: MutableHost): void
  dropHost(host: MutableHost): void
  /** Machines where some time ran out since the last call. */
  setTime(nowMs: number, wallMs: number): readonly MutableHost[]
  /** When the next one does; Infinity: never. */
  readonly dueAtMs: number
}

export function createTaintTimes(): TaintTimes {
  const tainted = new Set<MutableHost>()
  /** tolerationSeconds, in ms, with how many ask for it. */
  const limits = new Map<number, number>()
  let [now, wall] = [0, 0]
  const deadlinesOf = (host: MutableHost): number[] =>
    [...host.taintedAtMs.values()].flatMap((since) => [...limits.keys()].map((limit) => since + limit))
  return {
    forMs: (host, taint) => {
      const since = (host as MutableHost).taintedAtMs.get(keyOf(taint))
      return since === undefined ? 0 : now - since
    },
    add: (ask) => {
      let isNew = false
      for (const limit of limitsOf(ask)) {
        isNew ||= !limits.has(limit)
        limits.set(limit, (limits.get(limit) ?? 0) + 1)
      }
      return isNew ? [...tainted] : []
    },
    remove: (ask) => {
      for (const limit of limitsOf(ask)) {
        const uses = (limits.get(limit) ?? 0) - 1
        if (uses > 0) limits.set(limit, uses)
        else limits.delete(limit)
      }
    },
    setHost: (host) => {
      const taints = (host.machine.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
      const keys = new Set(taints.map(keyOf))
      for (const key of host.taintedAtMs.keys()) if (!keys.has(key)) host.taintedAtMs.delete(key)
      for (const taint of taints)
        if (!host.taintedAtMs.has(keyOf(taint))) host.taintedAtMs.set(keyOf(taint), now - ageMs(taint, wall))
      if (taints.length > 0) tainted.add(host)
      else tainted.delete(host)
    },
    dropHost: (host) => void tainted.delete(host),
    setTime: (nowMs, wallMs) => {
      const before = now
      now = nowMs
      wall = wallMs
      if (limits.size === 0) return []
      return [...tainted].filter((host) => deadlinesOf(host).some((at) => before < at && at <= now))
    },
    get dueAtMs() {
      let due = Number.POSITIVE_INFINITY
      for (const host of tainted) for (const at of deadlinesOf(host)) if (at > now) due = Math.min(due, at)
      return due
    },
  }
}

function limitsOf({ tolerations }: Ask): number[] {
  return tolerations.flatMap(({ tolerationSeconds }) =>
    tolerationSeconds === undefined ? [] : tolerationSeconds * 1000,
  )
}

/** A taint that was taken away and put back with another value is another one. */
function keyOf({ key, value = '' }: Taint): string {
  return `${key}=${value}`
}

/** Of a clock that is ahead of ours: none. */
function ageMs({ timeAdded }: Taint, wallMs: number): number {
  const age = timeAdded === undefined ? 0 : wallMs - Date.parse(timeAdded)
  return age > 0 ? age : 0
}
