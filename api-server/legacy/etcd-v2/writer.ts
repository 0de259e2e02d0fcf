/**
 * The one queue of writes. What arrives while a transaction is on its way is decided together, on the tree as that
 * transaction left it, and committed in the next one. A lost compare of `/v2/index` means that another server wrote:
 * its news are applied and the batch is decided anew, so nobody ever acts on an old tree.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Logger } from 'pino'
import {
  InvalidTransactionError,
  type Operation,
  type Revision,
  type Store,
  type Transaction,
} from '../../store/store.ts'
import { bytesOfText } from './bytes.ts'
import { Draft } from './draft.ts'
import { type Failure, failure, isFailure } from './failure.ts'
import { inTime } from './in-time.ts'
import { type Done, decide, type Expiry, type Write } from './operations.ts'
import { encodeHead, encodeLog, INDEX_KEY, logKey } from './records.ts'
import type { Replica } from './replica.ts'

export type Answer =
  | { readonly ok: true; readonly done: Done; readonly index: number }
  | { readonly ok: false; readonly failure: Failure; readonly index: number }

type Settle = (answer: Answer) => void

interface Queued {
  readonly write: Write | Expiry
  readonly settle: Settle
}

export interface Writer {
  /** `settle` is called once: when the change is durable, or when it is sure that nothing changed. */
  submit(write: Write | Expiry, settle: Settle): void
  readonly length: number
  /** Resolves when everything before it was answered; later writes are refused. */
  close(): Promise<void>
}

/** Each component may make a directory, whose key holds all those before it. */
const MAX_COMPONENTS = 200
/** Of keys and values; the log holds a value up to three times, and a request to etcd may have 1.5 MiB. */
const MAX_BATCH_BYTES = 256 * 1024
/** Many writes of few keys need few nodes. */
const MAX_BATCH_WRITES = 500
const MAX_WAITING = 50_000
const NEWS_TIMEOUT_MS = 10_000
const COMMIT_TIMEOUT_MS = 30_000

export function createWriter(store: Store, replica: Replica, log: Logger): Writer {
  const queue: Queued[] = []
  let running: Promise<void> | undefined
  let closed = false
  const run = async () => {
    await turn() // those whose requests have arrived go together
    while (queue.length > 0) await commitNext(store, replica, queue, log)
    running = undefined
  }
  return {
    get length() {
      return queue.length
    },
    submit: (write, settle) => {
      if (closed || queue.length >= MAX_WAITING) {
        settle(refused(replica, closed ? 'the server is stopping' : 'too many writes are waiting'))
        return
      }
      queue.push({ write, settle })
      running ??= run()
    },
    close: async () => {
      closed = true
      await running
    },
  }
}

function refused({ head }: Replica, why: string): Answer {
  return { ok: false, failure: failure(300, bytesOfText(why)), index: head.index }
}

interface Decided {
  readonly taken: readonly Queued[]
  readonly answers: readonly (Answer | undefined)[]
  readonly draft: Draft
}

/** Decides as many as fit into one transaction; at least one, and only one when `alone`. */
function decideBatch(replica: Replica, queue: readonly Queued[], alone: boolean): Decided {
  const draft = new Draft(replica.tree, replica.head.index)
  const answers: (Answer | undefined)[] = []
  const nowMs = Date.now()
  let bytes = 0
  for (const { write } of queue) {
    bytes += write.key.length + (write.do === 'expire' ? 0 : write.value.length)
    if (answers.length >= MAX_BATCH_WRITES) break
    if (answers.length > 0 && (alone || bytes > MAX_BATCH_BYTES)) break
    answers.push(answerTo(draft, write, nowMs))
  }
  return { taken: queue.slice(0, answers.length), answers, draft }
}

function depthOf(key: string): number {
  let depth = 1
  for (let at = key.indexOf('/', 1); at > 0; at = key.indexOf('/', at + 1)) depth += 1
  return depth
}

function answerTo(draft: Draft, write: Write | Expiry, nowMs: number): Answer | undefined {
  if (depthOf(write.key) > MAX_COMPONENTS)
    return { ok: false, failure: failure(209, 'the key has too many components'), index: draft.index }
  const decision = decide(draft, write, nowMs)
  if (decision === undefined) return undefined
  return isFailure(decision)
    ? { ok: false, failure: decision, index: draft.index }
    : { ok: true, done: decision, index: draft.index }
}

async function commitNext(store: Store, replica: Replica, queue: Queued[], log: Logger): Promise<void> {
  let alone = false
  for (;;) {
    const decided = decideBatch(replica, queue, alone)
    try {
      if (!(await commit(store, replica, decided.draft))) continue
      queue.splice(0, decided.taken.length)
      settleAll(replica, decided)
      return
    } catch (error) {
      // One write that the store cannot take must not take its neighbours down.
      if (error instanceof InvalidTransactionError && !alone && decided.taken.length > 1) {
        alone = true
        continue
      }
      log.warn({ err: error }, 'etcd v2 writes could not be committed')
      for (const { settle } of queue.splice(0, decided.taken.length)) settle(refused(replica, messageOf(error)))
      return
    }
  }
}

function settleAll(replica: Replica, { taken, answers }: Decided): void {
  for (const [at, { settle }] of taken.entries())
    settle(answers[at] ?? { ok: false, failure: failure(100, ''), index: replica.head.index })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** False: another server was faster, and its news are in the tree now. */
async function commit(store: Store, replica: Replica, draft: Draft): Promise<boolean> {
  const puts = draft.puts()
  const { entries } = draft
  const { logged } = replica.head
  const record = entries.length === 0 ? undefined : encodeLog({ offset: logged, entries, puts })
  const head = { index: draft.index, logged: logged + (record?.byteLength ?? 0) }
  const operations: Operation[] = []
  if (record) operations.push({ do: 'put', key: logKey(draft.index), value: record })
  if (record) operations.push({ do: 'put', key: INDEX_KEY, value: encodeHead(head) })
  const compare = [{ key: INDEX_KEY, modified: replica.indexRevision }]
  const apply = (revision: Revision) => record && replica.apply({ head, revision, entries, puts })
  const news = await commitAs(store, replica, { compare, operations }, apply)
  if (news !== undefined) await replica.caughtUpTo(news, NEWS_TIMEOUT_MS)
  return news === undefined
}

/** Undefined: durable and applied. Else the revision of the index that was faster. */
async function commitAs(
  store: Store,
  replica: Replica,
  transaction: Transaction,
  apply: (revision: Revision) => void,
): Promise<Revision | undefined> {
  replica.commitBegins()
  try {
    const result = await inTime(store.txn(transaction), COMMIT_TIMEOUT_MS)
    if (result.ok) {
      apply(result.revision)
      return undefined
    }
    const [current] = result.current
    if (current === undefined) throw new Error('the store has lost its etcd v2 index')
    return current.modified
  } finally {
    replica.commitEnded()
  }
}
