/**
 * The newest revision at or after now, as raft's ReadIndex does it: one question to etcd at a time, and who comes while
 * one is on its way waits for the next, because the answer may be older than their question.
 */
import { ReplacedError, type Revision } from '../store.ts'

/** `ask` reads the newest revision; the result shares its answers among all who asked before it was called. */
export function sharedRead<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined
  let next: Promise<T> | undefined

  async function afterRunning(): Promise<T> {
    await running?.catch(() => undefined)
    next = undefined
    const asked = ask()
    running = asked
    return asked
  }
  return () => {
    next ??= afterRunning()
    return next
  }
}

/** `found`, as it must be: etcd's counter never goes back by itself. */
export function checkNotBack(found: Revision, known: Revision): Revision {
  if (found >= known) return found
  throw new ReplacedError(
    `etcd is at revision ${found}, but was at ${known} before: it was restored from a backup or wiped; restart this server`,
  )
}
