/**
 * The one queue of writes. What arrives while a transaction is on its way is decided together, on the tree as that
 * transaction left it, and committed in the next one. A lost compare of `/v2/index` means that another server wrote:
 * its news are applied and the batch is decided anew, so nobody ever acts on an old tree.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Identity } from '../../auth/identity.ts'
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
import { type Done, decide } from './operations.ts'
import { ObjectBatch } from './projection/batch.ts'
import type { Projector, Task, Turn, Verdict } from './projection/projector.ts'
import { encodeHead, encodeLog, INDEX_KEY, logKey } from './records.ts'
import type { Replica } from './replica.ts'
import { NOTHING, type Tell, untilOnItsWay } from './telling.ts'

export type Answer =
  | { readonly ok: true; readonly done: Done; readonly index: number }
  | { readonly ok: false; readonly failure: Failure; readonly index: number }

type Settle = (answer: Answer) => void

interface Queued {
  readonly write: Task
  readonly settle: Settle
  /** Whose rights it needs; undefined: the server's own. */
  readonly identity: Identity | undefined
}

export interface Writer {
  /** `settle` is called once: when the change is durable, or when it is sure that nothing changed. */
  submit(write: Task, settle: Settle, identity?: Identity): void
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

/** What a commit goes through. */
interface Commits {
  readonly store: Store
  readonly replica: Replica
  readonly log: Logger
  /** Decides where keys show objects. */
  readonly projector: Projector | undefined
}

export function createWriter(store: Store, replica: Replica, log: Logger, projector?: Projector): Writer {
  const commits: Commits = { store, replica, log, projector }
  const queue: Queued[] = []
  let running: Promise<void> | undefined
  let closed = false
  const run = async () => {
    await turn() // those whose requests have arrived go together
    let tell = NOTHING
    while (queue.length > 0 || tell !== NOTHING) {
      const next = queue.length > 0 ? commitNext(commits, queue) : NOTHING
      if (next !== NOTHING && tell !== NOTHING) await untilOnItsWay()
      tell()
      tell = await next
    }
    running = undefined
  }
  return {
    get length() {
      return queue.length
    },
    submit: (write, settle, identity) => {
      if (closed || queue.length >= MAX_WAITING) {
        settle(refused(replica, closed ? 'the server is stopping' : 'too many writes are waiting'))
        return
      }
      queue.push({ write, settle, identity })
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
  readonly batch: ObjectBatch
}

/** Decides as many as fit into one transaction; at least one, and only one when `alone`. */
function decideBatch({ replica, projector }: Commits, queue: readonly Queued[], alone: boolean): Decided {
  const draft = new Draft(replica.tree, replica.head.index)
  const batch = new ObjectBatch()
  const answers: (Answer | undefined)[] = []
  const nowMs = Date.now()
  let bytes = 0
  for (const { write, identity } of queue) {
    bytes += write.key.length + ('value' in write ? write.value.length : 0)
    if (answers.length >= MAX_BATCH_WRITES) break
    if (answers.length > 0 && (alone || bytes > MAX_BATCH_BYTES)) break
    const answer = answerTo(draft, write, { batch, nowMs, identity, projector })
    if (answer === 'later' && answers.length > 0) break
    answers.push(answer === 'later' ? refused(replica, 'it is more than one transaction holds') : answer)
  }
  return { taken: queue.slice(0, answers.length), answers, draft, batch }
}

function depthOf(key: string): number {
  let depth = 1
  for (let at = key.indexOf('/', 1); at > 0; at = key.indexOf('/', at + 1)) depth += 1
  return depth
}

interface DecidingTurn extends Turn {
  readonly projector: Projector | undefined
}

function answerTo(draft: Draft, write: Task, turn: DecidingTurn): Answer | undefined | 'later' {
  if (depthOf(write.key) > MAX_COMPONENTS)
    return { ok: false, failure: failure(209, 'the key has too many components'), index: draft.index }
  const decision = verdictOn(draft, write, turn)
  if (decision === 'later') return decision
  if (decision === undefined || decision === 'nothing') return undefined
  return isFailure(decision)
    ? { ok: false, failure: decision, index: draft.index }
    : { ok: true, done: decision, index: draft.index }
}

function verdictOn(draft: Draft, write: Task, turn: DecidingTurn): Verdict | undefined {
  if (turn.projector?.concerns(write.key)) return turn.projector.decide(draft, write, turn)
  return write.do === 'align' ? 'nothing' : decide(draft, write, turn.nowMs)
}

async function upToDate({ projector }: Commits): Promise<void> {
  if (projector) await inTime(projector.upToDate(), NEWS_TIMEOUT_MS)
}

/** Takes a batch off the queue; nothing comes back where it was refused, and told so. */
async function commitNext(commits: Commits, queue: Queued[]): Promise<Tell> {
  const { replica, log, projector } = commits
  let alone = false
  for (;;) {
    let taken = queue.slice(0, 1)
    try {
      if (queue.slice(0, MAX_BATCH_WRITES).some(({ write }) => projector?.concerns(write.key))) await upToDate(commits)
      const decided = decideBatch(commits, queue, alone)
      taken = [...decided.taken]
      if (!(await commit(commits, decided))) continue
      queue.splice(0, decided.taken.length)
      const { index } = replica.head
      return () => settleAll(log, decided, index)
    } catch (error) {
      // One write that the store cannot take must not take its neighbours down.
      if (error instanceof InvalidTransactionError && !alone && taken.length > 1) {
        alone = true
        continue
      }
      log.warn({ err: error }, 'etcd v2 writes could not be committed')
      for (const { settle } of queue.splice(0, taken.length)) settle(refused(replica, messageOf(error)))
      return NOTHING
    }
  }
}

/** Whatever one caller makes of its answer, its neighbours get theirs. */
function settleAll(log: Logger, { taken, answers }: Decided, index: number): void {
  for (const [at, { settle }] of taken.entries()) {
    try {
      settle(answers[at] ?? { ok: false, failure: failure(100, ''), index })
    } catch (error) {
      log.error({ err: error }, 'an etcd v2 write is done, yet its answer failed')
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** False: another server was faster, and its news are in the tree now. */
async function commit(commits: Commits, { taken, draft, batch }: Decided): Promise<boolean> {
  const { store, replica } = commits
  if (draft.entries.length === 0 && taken.every(({ write }) => write.do === 'align')) return true
  const puts = draft.puts()
  const { entries } = draft
  const { logged } = replica.head
  const record = entries.length === 0 ? undefined : encodeLog({ offset: logged, entries, puts })
  const head = { index: draft.index, logged: logged + (record?.byteLength ?? 0) }
  const operations: Operation[] = [...batch.operations]
  if (record) operations.push({ do: 'put', key: logKey(draft.index), value: record })
  if (record) operations.push({ do: 'put', key: INDEX_KEY, value: encodeHead(head) })
  const compare = [{ key: INDEX_KEY, modified: replica.indexRevision }, ...batch.compare]
  const apply = (revision: Revision) => record && replica.apply({ head, revision, entries, puts })
  const news = await commitAs(store, replica, { compare, operations }, apply)
  if (news !== undefined) await replica.caughtUpTo(news, NEWS_TIMEOUT_MS)
  // It is done, whether or not this server hears of it soon.
  else if (batch.operations.length > 0) await upToDate(commits).catch(() => undefined)
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
    if (current === undefined && replica.indexRevision > 0n) throw new Error('the store has lost its etcd v2 index')
    return current?.modified ?? 0n // the index is as it was where an object was what had changed
  } finally {
    replica.commitEnded()
  }
}
