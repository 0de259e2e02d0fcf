/**
 * What a transaction means, apart from where keys are kept: its limits, its compares, and the changes it makes. The
 * backends that keep keys themselves share it, so that they cannot differ.
 */
import { keyFault } from './keys.ts'
import { InvalidTransactionError, MAX_OPERATIONS, type Operation, type Revision, type Transaction } from './store.ts'

/** What a backend knows of a key's present version; its own kind of pointer or the value itself comes on top. */
export interface Version {
  readonly created: Revision
  readonly modified: Revision
}

/** One key's step from one version to the next. `created` is the key's own, also for a delete. */
export interface Change<V extends Version> {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly value: Uint8Array
  readonly created: Revision
  readonly before: V | undefined
}

const EMPTY = new Uint8Array(0)

/** Throws `InvalidTransactionError`, naming the limit or the key, where the transaction is not one. */
export function checkTransaction({ compare, operations }: Transaction): void {
  if (operations.length > MAX_OPERATIONS || compare.length > MAX_OPERATIONS) {
    throw new InvalidTransactionError(
      `a transaction takes at most ${MAX_OPERATIONS} operations and as many compares, not ${operations.length} and ${compare.length}`,
    )
  }
  for (const { key } of compare) checkKey(key)
  for (const { key } of operations) checkKey(key)
  if (operations.length > 1) checkDistinct(operations)
}

function checkKey(key: string): void {
  const fault = keyFault(key)
  if (fault !== undefined) throw new InvalidTransactionError(fault)
}

function checkDistinct(operations: readonly Operation[]): void {
  const seen = new Set<string>()
  for (const { key } of operations) {
    if (seen.has(key))
      throw new InvalidTransactionError(`a transaction may change each key once, but ${key} is there twice`)
    seen.add(key)
  }
}

/** Whether every compare holds in the state that `read` shows. */
export function comparesHold<V extends Version>(
  { compare }: Transaction,
  read: (key: string) => V | undefined,
): boolean {
  return compare.every(({ key, modified }) => (read(key)?.modified ?? 0n) === modified)
}

/** The changes that the operations make at `revision`; deletes of absent keys make none. */
export function changesOf<V extends Version>(
  { operations }: Transaction,
  revision: Revision,
  read: (key: string) => V | undefined,
): Change<V>[] {
  const changes: Change<V>[] = []
  for (const operation of operations) {
    const { key } = operation
    const before = read(key)
    if (operation.do === 'put') {
      changes.push({ type: 'put', key, value: operation.value, created: before?.created ?? revision, before })
    } else if (before !== undefined) {
      changes.push({ type: 'delete', key, value: EMPTY, created: before.created, before })
    }
  }
  return changes
}
