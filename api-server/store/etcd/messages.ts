/** etcd's answers and requests as they are read and written here; see protocol.ts. Longs come as decimal text. */

export interface Answer {
  readonly header: { readonly cluster_id: string; readonly revision: string } | null
}

export interface EtcdKeyValue {
  readonly key: Buffer
  readonly create_revision: string
  readonly mod_revision: string
  readonly version: string
  readonly value: Buffer
}

export interface RangeRequest {
  readonly key: Uint8Array
  readonly range_end?: Uint8Array
  readonly limit?: number
  readonly revision?: string
  readonly keys_only?: boolean
  readonly count_only?: boolean
}

export interface RangeAnswer extends Answer {
  readonly kvs: readonly EtcdKeyValue[]
  readonly more: boolean
  readonly count: string
}

export type RequestOp =
  | { readonly request_range: RangeRequest }
  | { readonly request_put: { readonly key: Uint8Array; readonly value: Uint8Array } }
  | { readonly request_delete_range: { readonly key: Uint8Array; readonly range_end?: Uint8Array } }

/** `result` 0: equal, 1: greater. `target` 0: version, 1: create_revision, 2: mod_revision. */
export type EtcdCompare = { readonly result: 0 | 1; readonly key: Uint8Array } & (
  | { readonly target: 0; readonly version: number }
  | { readonly target: 1; readonly create_revision: string }
  | { readonly target: 2; readonly mod_revision: string }
)

export interface TxnRequest {
  readonly compare: readonly EtcdCompare[]
  readonly success: readonly RequestOp[]
  readonly failure: readonly RequestOp[]
}

export interface TxnAnswer extends Answer {
  readonly succeeded: boolean
  readonly responses: readonly { readonly response_range?: RangeAnswer }[]
}

export interface EtcdEvent {
  /** 0: put, 1: delete. */
  readonly type: number
  readonly kv: EtcdKeyValue
  readonly prev_kv: EtcdKeyValue | null
}

export interface WatchAnswer extends Answer {
  readonly created: boolean
  readonly canceled: boolean
  readonly compact_revision: string
  readonly cancel_reason: string
  readonly fragment: boolean
  readonly events: readonly EtcdEvent[]
}

export interface MemberAnswer extends Answer {
  readonly members: readonly Member[]
}

export interface Member {
  readonly ID: string
  /** Empty until it has started for the first time. */
  readonly name: string
  readonly peerURLs: readonly string[]
  readonly clientURLs: readonly string[]
  readonly isLearner: boolean
}

export interface StatusAnswer extends Answer {
  readonly version: string
  readonly dbSize: string
  readonly dbSizeInUse: string
  /** `0` where it knows of none. */
  readonly leader: string
  readonly raftAppliedIndex: string
  readonly errors: readonly string[]
  readonly isLearner: boolean
}
