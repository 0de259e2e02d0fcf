/** Many watches at once. An event is found by its stamp, without parsing it: a thousand watchers see each one. */
import { spreadOf } from '../harness/statistics.ts'
import { openConnection } from './connection.ts'
import type { Watch, WatchResult } from './job.ts'
import { STAMP, template, wallClockMs } from './template.ts'

const OPENED_AT_ONCE = 8

export interface Watchers {
  /** Resolves when all watches have begun to answer. */
  readonly ready: Promise<void>
  /** How many have arrived so far, at all watchers together. */
  events(): number
  result(): WatchResult
}

export function watchers(job: Watch): Watchers {
  const deliveries: number[] = []
  const seen = new Array<number>(job.watchers).fill(0)
  const bytes = template(job.request)(0)
  let next = 0
  const openSome = async () => {
    for (let mine = next++; mine < job.watchers; mine = next++) await openOne(mine)
  }
  const openOne = (mine: number) =>
    new Promise<void>((resolve, reject) => {
      const onStamp = (sentMs: number) => {
        deliveries.push(wallClockMs() - sentMs)
        seen[mine] = (seen[mine] ?? 0) + 1
      }
      const onHead = (status: number) => (status === 200 ? resolve() : reject(new Error(`watch answered ${status}`)))
      const options = { onHead, onBody: stampFinder(job.marker, onStamp), onFailure: reject }
      openConnection(job.target, options).then((connection) => connection.send(bytes, () => undefined), reject)
    })
  return {
    ready: Promise.all(Array.from({ length: OPENED_AT_ONCE }, openSome)).then(() => undefined),
    events: () => deliveries.length,
    result: () => ({
      events: deliveries.length,
      fewest: Math.min(...seen),
      deliveryMs: deliveries.length === 0 ? undefined : spreadOf(deliveries),
    }),
  }
}

/** Calls back with the stamp behind each marker, also where pieces cut through it. */
export function stampFinder(marker: string, onStamp: (sentMs: number) => void): (piece: Buffer) => void {
  const mark = Buffer.from(marker)
  const needed = mark.length + STAMP.length
  let carried: Buffer | undefined
  return (piece) => {
    const all = carried ? Buffer.concat([carried, piece]) : piece
    let from = 0
    for (let at = all.indexOf(mark); at >= 0 && at + needed <= all.length; at = all.indexOf(mark, from)) {
      from = at + needed
      onStamp(Number(all.toString('latin1', at + mark.length, from)))
    }
    // Copied: the socket reuses what it gave us.
    carried = Buffer.from(all.subarray(Math.max(from, all.length - needed + 1)))
  }
}
