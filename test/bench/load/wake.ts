/** Many who wait for the next change of one key, and how long after a write's sending each has its answer. */
import { spreadOf } from '../harness/statistics.ts'
import { openConnections } from './connection.ts'
import type { Wake, WakeResult } from './job.ts'
import { wallClockMs } from './template.ts'

/** All waits have reached the server by then; HTTP does not say when a wait has begun. */
const SETTLE_MS = 1_000

export async function wake({ target, waiters, wait, write }: Wake): Promise<WakeResult> {
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  const connections = await openConnections(target, waiters + 1, { onFailure: (error) => fail(error) })
  const [writer, ...waiting] = connections
  const wokenAtMs: number[] = []
  const woken = waiting.map(
    (connection) =>
      new Promise<void>((resolve, reject) =>
        connection.send(Buffer.from(wait), (status) => {
          wokenAtMs.push(wallClockMs())
          if (status === 200) resolve()
          else reject(new Error(`a wait was answered ${status}`))
        }),
      ),
  )
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const sentAtMs = wallClockMs()
  writer?.send(Buffer.from(write), () => undefined)
  await Promise.race([Promise.all(woken), failed])
  for (const connection of connections) connection.close()
  return { wakeMs: spreadOf(wokenAtMs.map((atMs) => atMs - sentAtMs)) }
}
