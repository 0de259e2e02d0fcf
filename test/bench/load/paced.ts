/** Load at a steady rate. A request that finds no free connection waits for one, and its wait counts. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Connection, openConnections } from './connection.ts'
import type { LoadResult, Paced } from './job.ts'
import { tally } from './tally.ts'
import { template } from './template.ts'

const TICK_MS = 5

export async function paced(job: Paced): Promise<LoadResult> {
  let broken: Error | undefined
  const onFailure = (error: Error) => {
    broken = error
  }
  const free = await openConnections(job.target, job.connections, { onFailure })
  const all = [...free]
  const counted = tally()
  const send = sender(job, free, counted.answer)
  const begun = performance.now()
  const total = Math.round((job.perSecond * job.durationMs) / 1000)
  for (let asked = 0; asked < total || free.length < all.length; ) {
    if (broken) throw broken
    const due = Math.min(total, Math.floor(((performance.now() - begun) * job.perSecond) / 1000))
    for (; asked < due && free.length > 0; asked++) send(asked, begun + (asked * 1000) / job.perSecond)
    await delay(TICK_MS)
  }
  for (const connection of all) connection.close()
  return counted.result((performance.now() - begun) / 1000)
}

function sender(
  { request, firstNumber, ring }: Paced,
  free: Connection[],
  answer: (status: number, bodyBytes: number, tookMs: number) => void,
): (index: number, dueMs: number) => void {
  const fill = template(request)
  return (index, dueMs) => {
    const connection = free.pop()
    connection?.send(fill(firstNumber + (index % ring)), (status, bodyBytes) => {
      answer(status, bodyBytes, performance.now() - dueMs)
      free.push(connection)
    })
  }
}
