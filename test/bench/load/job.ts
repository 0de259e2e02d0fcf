/** What the client process is asked to do, and what it answers: JSON both ways. */
import type { Spread } from '../harness/statistics.ts'
import type { Target } from './connection.ts'

/** As many requests as the server answers: each connection sends the next one when it has its answer. */
export interface ClosedLoop {
  readonly do: 'closed-loop'
  readonly target: Target
  readonly request: string
  readonly connections: number
  /** The first request's number; each later one has the next. */
  readonly firstNumber: number
  /** After so many the numbers begin again; they never do unless given. */
  readonly ring?: number
  /** Requests before the clock starts. */
  readonly warmupMs: number
  /** How long to count. */
  readonly durationMs: number
}

/** Exactly so many requests, and when each was answered. */
export interface Burst {
  readonly do: 'burst'
  readonly target: Target
  readonly request: string
  readonly connections: number
  readonly firstNumber: number
  readonly requests: number
}

/** A steady rate, whatever the server makes of it; the numbers go round in a ring. */
export interface Paced {
  readonly do: 'paced'
  readonly target: Target
  readonly request: string
  readonly connections: number
  readonly firstNumber: number
  readonly ring: number
  readonly perSecond: number
  readonly durationMs: number
}

/** Watches until its standard input ends. Events are told by the stamp after `marker`. */
export interface Watch {
  readonly do: 'watch'
  readonly target: Target
  readonly request: string
  readonly watchers: number
  readonly marker: string
}

/** Waits on one key by so many, and one write that wakes them all. */
export interface Wake {
  readonly do: 'wake'
  readonly target: Target
  readonly waiters: number
  /** Whole requests, sent as they are. */
  readonly wait: string
  readonly write: string
}

/** Machines without systemd, until standard input ends; every further line is answered with an `AgentsResult`. */
export interface Agents {
  readonly do: 'agents'
  readonly target: Target
  readonly machines: number
  readonly firstNumber: number
}

export type Job = ClosedLoop | Burst | Paced | Watch | Wake | Agents

export interface LoadResult {
  /** Answered in the counted time. */
  readonly requests: number
  readonly seconds: number
  readonly latencyMs: Spread
  readonly answerBytes: number
  /** Answers other than 2xx, by status. */
  readonly refused: Readonly<Record<string, number>>
}

export interface BurstResult extends LoadResult {
  /** Wall clock at which each number's 2xx had arrived, in order of the numbers. */
  readonly answeredAtMs: readonly number[]
}

export interface WakeResult {
  /** From the sending of the write to the whole answer of each. */
  readonly wakeMs: Spread
}

export interface WatchResult {
  readonly events: number
  /** Of the watcher that saw the fewest. */
  readonly fewest: number
  /** From the sending of a write to its arrival at each watcher; undefined when nothing arrived. */
  readonly deliveryMs: Spread | undefined
}

/** Since the last one. */
export interface AgentsResult {
  /** Changes of units that each agent's watch has brought. */
  readonly heard: readonly number[]
  /** The agents' own writes (leases, claims, reports), from when each was due; undefined when there were none. */
  readonly writesMs: Spread | undefined
  /** Answers other than 2xx, by status. */
  readonly refused: Readonly<Record<string, number>>
  /** Connections that broke. */
  readonly failures: readonly string[]
}
