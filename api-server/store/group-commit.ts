/**
 * One write in flight; everything that arrives meanwhile goes into the next one. A sync of the disk costs the same for
 * one transaction as for hundreds, so under load the price is shared, and a lone write waits for nobody.
 *
 * Maintenance (compaction) takes turns with the batches, one step at a time.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { type Transaction, type TransactionResult, UnavailableError } from './store.ts'

/** Applies the transactions in order, all in one durable write, and returns their results. Throwing refuses them all. */
export type CommitBatch = (batch: readonly Transaction[]) => Promise<readonly TransactionResult[]>

export interface GroupCommit {
  submit(transaction: Transaction, signal?: AbortSignal): Promise<TransactionResult>
  /** Runs `step` between two batches. */
  between<T>(step: () => Promise<T>): Promise<T>
  /** Refuses what comes from now on; resolves when all that came before has been answered. */
  close(): Promise<void>
}

/** One batch's bounds, so that its buffers and the wait behind it stay small. */
const MAX_BATCH_TRANSACTIONS = 1_024
const MAX_BATCH_BYTES = 8 * 1024 * 1024
/** More writers than any server lets in at once: a bound, not a working limit. */
const MAX_WAITING = 100_000

interface Waiting {
  readonly transaction: Transaction
  readonly resolve: (result: TransactionResult) => void
  readonly reject: (error: unknown) => void
  /** Its caller gave up before its batch began. */
  gone: boolean
}

function bytesOf({ operations }: Transaction): number {
  let bytes = 0
  for (const operation of operations) bytes += operation.do === 'put' ? operation.value.byteLength : 0
  return bytes
}

/** Takes the next batch off the head of the queue: at least one, then as many as the bounds allow. */
function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0
  let count = 0
  for (const { transaction } of queue) {
    bytes += bytesOf(transaction)
    if (count > 0 && (count >= MAX_BATCH_TRANSACTIONS || bytes > MAX_BATCH_BYTES)) break
    count += 1
  }
  return queue.splice(0, count).filter(({ gone }) => !gone)
}

async function settle(batch: readonly Waiting[], commit: CommitBatch): Promise<void> {
  if (batch.length === 0) return
  try {
    const results = await commit(batch.map(({ transaction }) => transaction))
    for (const [i, result] of results.entries()) batch[i]?.resolve(result)
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
}

/** Queues the transaction; its promise settles with the batch, or as soon as `signal` aborts. */
function enqueue(
  queue: Waiting[],
  transaction: Transaction,
  signal: AbortSignal | undefined,
): Promise<TransactionResult> {
  return new Promise((resolve, reject) => {
    const waiting: Waiting = { transaction, resolve, reject, gone: false }
    queue.push(signal === undefined ? waiting : abortable(waiting, signal))
  })
}

function abortable({ transaction, resolve, reject }: Waiting, signal: AbortSignal): Waiting {
  const giveUp = () => {
    waiting.gone = true
    reject(signal.reason)
  }
  const answered =
    <T>(settled: (value: T) => void) =>
    (value: T) => {
      signal.removeEventListener('abort', giveUp)
      settled(value)
    }
  const waiting: Waiting = { transaction, resolve: answered(resolve), reject: answered(reject), gone: false }
  signal.addEventListener('abort', giveUp, { once: true })
  return waiting
}

export function groupCommit(commit: CommitBatch): GroupCommit {
  const queue: Waiting[] = []
  const steps: (() => Promise<void>)[] = []
  let running: Promise<void> | undefined
  let closed = false

  async function drain(): Promise<void> {
    // All that this turn of the event loop brings shares the first batch.
    await turn()
    while (queue.length > 0 || steps.length > 0) {
      await settle(takeBatch(queue), commit)
      await steps.shift()?.()
    }
    running = undefined
  }
  return {
    async submit(transaction, signal) {
      signal?.throwIfAborted()
      if (closed) throw new UnavailableError('the store is closed')
      if (queue.length >= MAX_WAITING) throw new UnavailableError('too many writes are waiting for the disk')
      const result = enqueue(queue, transaction, signal)
      running ??= drain()
      return result
    },
    between(step) {
      if (closed) return Promise.reject(new UnavailableError('the store is closed'))
      return new Promise((resolve, reject) => {
        steps.push(() => step().then(resolve, reject))
        running ??= drain()
      })
    },
    async close() {
      closed = true
      await running
    },
  }
}
