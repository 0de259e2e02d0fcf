/** What the process that has a store open is asked to measure, and what it answers: JSON both ways. */
import type { Spread } from '../harness/statistics.ts'

/** A folder for our embedded store, an address for our store on etcd, or etcd itself through the same gRPC client. */
export type Place =
  | { readonly kind: 'embedded'; readonly folder: string }
  | { readonly kind: 'etcd' | 'raw etcd'; readonly url: string }

export interface SpeedJob {
  readonly do: 'speed'
  readonly place: Place
  readonly writers: readonly number[]
  readonly durationMs: number
}

/** So many keys that are objects, made like the one at `like`, whose name is numbered. */
export interface FillJob {
  readonly do: 'fill'
  readonly place: Place
  readonly keys: number
  /** Key of the pattern, and its name in there, which holds a number of eight digits. */
  readonly like: string
  readonly name: string
}

export type Job = SpeedJob | FillJob

export interface PutResult {
  readonly writers: number
  readonly perSecond: number
  readonly latencyMs: Spread
  /** Processor time of the process that has the store open, everything in it. */
  readonly cpuMicrosPerPut: number
}

export interface SpeedResult {
  readonly puts: readonly PutResult[]
  /** One range of all the keys, in one answer. */
  readonly rangeMs: Spread
  /** From the call until the last of as many events as there are keys. */
  readonly replayMs: number
  /** Single keys, while most writers of `READS_BESIDE` write. */
  readonly getMs: Spread
}

export interface FillResult {
  readonly rssMB: number
}

export const KEYS = 10_000
export const VALUE_BYTES = 1_024
export const READS_BESIDE = 256
