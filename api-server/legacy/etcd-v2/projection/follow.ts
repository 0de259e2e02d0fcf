/**
 * Watches for keys and objects that disagree and has them brought in line, at the start and ever after. Level-triggered:
 * an object that changed while no server ran is found like one that changes now. All servers do it; the first one wins,
 * and the others find nothing left to do.
 */
import type { Logger } from 'pino'
import type { Entry } from '../event.ts'
import type { Replica } from '../replica.ts'
import type { Answer, Writer } from '../writer.ts'
import { isAligned } from './align.ts'
import { isNear, locate } from './location.ts'
import type { Shown } from './shown.ts'

export interface Following {
  close(): void
}

const RETRY_MS = 1_000
/** Only for what nobody thought of: every change is told. */
const LOOK_EVERY_MS = 60_000
const STORE_FAILED = 300

/** Resolves when what disagreed at the start was looked at once. */
export async function followObjects(shown: Shown, replica: Replica, writer: Writer, log: Logger): Promise<Following> {
  const follower = new Follower(shown, replica, writer, log)
  const unfollow = shown.follow((keys) => follower.lookAt(keys))
  replica.onApplied = (entries) => follower.heard(entries)
  await follower.lookAtAll()
  const looking = setInterval(() => void follower.lookAtAll(), LOOK_EVERY_MS)
  return {
    close: () => {
      clearInterval(looking)
      unfollow()
      replica.onApplied = undefined
      follower.close()
    },
  }
}

class Follower {
  readonly #shown: Shown
  readonly #replica: Replica
  readonly #writer: Writer
  readonly #log: Logger
  /** Under way; true: to be looked at again, since there was news meanwhile. */
  readonly #pending = new Map<string, boolean>()
  readonly #retries = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(shown: Shown, replica: Replica, writer: Writer, log: Logger) {
    this.#shown = shown
    this.#replica = replica
    this.#writer = writer
    this.#log = log
  }

  heard(entries: readonly Entry[] | 'everything'): void {
    if (entries === 'everything') {
      void this.lookAtAll()
      return
    }
    for (const { key, tookDir } of entries) {
      if (!isNear(this.#shown.projections, key)) continue
      const location = locate(this.#shown.projections, key)
      if (location.is === 'object') this.lookAt([key])
      else if (location.is === 'above' && tookDir) void this.lookAtAll()
    }
  }

  lookAt(keys: Iterable<string>): void {
    for (const key of keys) void this.#look(key)
  }

  async lookAtAll(): Promise<void> {
    const keys = this.#shown.projections.flatMap((each) => [...this.#shown.keysOf(each)])
    await Promise.all(keys.map((key) => this.#look(key)))
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#retries) clearTimeout(timer)
  }

  async #look(key: string): Promise<void> {
    if (this.#closed) return
    if (this.#pending.has(key)) {
      this.#pending.set(key, true)
      return
    }
    if (isAligned(this.#replica.tree.get(key), this.#shown.at(key))) return
    this.#pending.set(key, false)
    const answer = await new Promise<Answer>((settle) => this.#writer.submit({ do: 'align', key }, settle))
    const again = this.#pending.get(key)
    this.#pending.delete(key)
    if (!answer.ok && answer.failure.code === STORE_FAILED) this.#retry(key)
    else if (again) void this.#look(key)
    else if (!answer.ok && answer.failure.code !== 100)
      this.#log.warn({ key, failure: answer.failure }, 'an object cannot be shown as an etcd v2 key')
  }

  #retry(key: string): void {
    if (this.#closed) return
    const timer = setTimeout(() => {
      this.#retries.delete(timer)
      void this.#look(key)
    }, RETRY_MS)
    this.#retries.add(timer)
  }
}
