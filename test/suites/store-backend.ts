import type { Event, KeyValue, Operation, Range, Revision, Store } from '../../api-server/store/store.ts'
import { prefixRange } from '../../api-server/store/store.ts'
import type { Bounds } from '../../api-server/store/watch-hub.ts'
import type { Requirement } from '../support/requirements.ts'

/** What a backend must offer to be held to the contract of `api-server/store/store.ts`. */
export interface StoreBackend {
  readonly name: string
  /** What the machine must have for it. */
  readonly needs?: readonly Requirement[]
  /** A new, empty store. */
  open(options?: { readonly watchBounds?: Bounds }): Promise<Store>
  /** Closes the store and opens it on the same data; absent where nothing outlives the process. */
  readonly reopen?: (store: Store) => Promise<Store>
  /** Ends what all stores of it share; called when everything has been checked. */
  readonly done?: () => Promise<void>
  /** How many random histories the model check plays. */
  readonly modelRuns: number
}

/** Titles that read as promises, and the check of each with a fresh store. */
export type Promises = Readonly<Record<string, (store: Store, backend: StoreBackend) => Promise<unknown>>>

export const ALL: Range = prefixRange('')

export const bytes = (text: string): Uint8Array => Buffer.from(text)

export const text = (kv: KeyValue | undefined): string | undefined => kv && Buffer.from(kv.value).toString()

export const put = (key: string, value = 'v'): Operation => ({ do: 'put', key, value: bytes(value) })

export const remove = (key: string): Operation => ({ do: 'delete', key })

/** Writes without a compare and returns the revision. */
export async function write(store: Store, ...operations: Operation[]): Promise<Revision> {
  const result = await store.txn({ compare: [], operations })
  if (!result.ok) throw new Error('a transaction without compares lost one')
  return result.revision
}

/** `put /a=1 @3`: short enough to compare whole histories by eye. */
export function shown({ type, kv }: Event): string {
  return type === 'put' ? `put ${kv.key}=${text(kv)} @${kv.modified}` : `delete ${kv.key} @${kv.modified}`
}

/** Watches until an event of revision `until` or later has come; the deliveries as they came. */
export async function watched(
  store: Store,
  { range = ALL, after, until }: { range?: Range; after: Revision; until: Revision },
): Promise<(readonly Event[])[]> {
  const stop = new AbortController()
  const deadline = setTimeout(() => stop.abort(), 10_000)
  const deliveries: (readonly Event[])[] = []
  try {
    if (after >= until) return []
    for await (const batch of store.watch(range, { after, signal: stop.signal })) {
      deliveries.push(batch)
      if ((batch.at(-1)?.kv.modified ?? 0n) >= until) return deliveries
    }
    throw new Error(`the watch did not reach revision ${until} within 10 s`)
  } finally {
    clearTimeout(deadline)
    stop.abort()
  }
}

/** The error that `promise` rejects with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it succeeded, a failure was expected')
}

/** Runs `use` with a fresh store and closes it. */
export async function withStore<T>(
  backend: StoreBackend,
  use: (store: Store) => Promise<T>,
  options?: { readonly watchBounds?: Bounds },
): Promise<T> {
  const store = await backend.open(options)
  try {
    return await use(store)
  } finally {
    await store[Symbol.asyncDispose]()
  }
}
