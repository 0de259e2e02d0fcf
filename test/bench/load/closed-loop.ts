/** Load that waits for its answers: by time, or by count. */
import { type Connection, openConnections } from './connection.ts'
import type { Burst, BurstResult, ClosedLoop, LoadResult } from './job.ts'
import { tally } from './tally.ts'
import { template, wallClockMs } from './template.ts'

/** Sends on every connection, the next when the last is answered, until `next` has no more. */
function pump(
  connections: readonly Connection[],
  next: () => { readonly bytes: Buffer; readonly answered: (status: number, bodyBytes: number) => void } | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    let busy = connections.length
    const turn = (connection: Connection) => {
      const request = next()
      if (request === undefined) {
        busy -= 1
        if (busy === 0) resolve()
        return
      }
      connection.send(request.bytes, (status, bodyBytes) => {
        request.answered(status, bodyBytes)
        turn(connection)
      })
    }
    for (const connection of connections) turn(connection)
  })
}

/** Opens the connections, runs `work`, closes them; a connection that breaks is an error of the run. */
async function withConnections<T>(
  { target, connections }: ClosedLoop | Burst,
  work: (opened: readonly Connection[]) => Promise<T>,
): Promise<T> {
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => undefined) // it may come while nobody waits any more
  const opened = await openConnections(target, connections, { onFailure: (error) => fail(error) })
  try {
    return await Promise.race([work(opened), failed])
  } finally {
    for (const connection of opened) connection.close()
  }
}

export function closedLoop(job: ClosedLoop): Promise<LoadResult> {
  const fill = template(job.request)
  const counted = tally()
  return withConnections(job, async (connections) => {
    let sentCount = 0
    const { firstNumber, ring = Number.POSITIVE_INFINITY } = job
    const begun = performance.now() + job.warmupMs
    const end = begun + job.durationMs
    await pump(connections, () => {
      const sent = performance.now()
      if (sent >= end) return undefined
      const answered = (status: number, bodyBytes: number) => {
        const now = performance.now()
        if (now >= begun && now < end) counted.answer(status, bodyBytes, now - sent)
      }
      return { bytes: fill(firstNumber + (sentCount++ % ring)), answered }
    })
    return counted.result(job.durationMs / 1000)
  })
}

export function burst(job: Burst): Promise<BurstResult> {
  const fill = template(job.request)
  const counted = tally()
  const answeredAtMs = new Array<number>(job.requests).fill(0)
  return withConnections(job, async (connections) => {
    let sentCount = 0
    const begun = performance.now()
    await pump(connections, () => {
      if (sentCount === job.requests) return undefined
      const place = sentCount++
      const sent = performance.now()
      const answered = (status: number, bodyBytes: number) => {
        answeredAtMs[place] = wallClockMs()
        counted.answer(status, bodyBytes, performance.now() - sent)
      }
      return { bytes: fill(job.firstNumber + place), answered }
    })
    return { ...counted.result((performance.now() - begun) / 1000), answeredAtMs }
  })
}
