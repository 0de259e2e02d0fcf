/** Many logs as one, by time. Each of them keeps its own order, whatever the clocks of the machines say. */
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { JournalLine } from './journal-source.ts'

type Batch = readonly JournalLine[]

interface Head {
  readonly rest: AsyncIterator<Batch>
  batch: Batch
  at: number
}

/** Logs that end. Of each no more than one batch is held, however long it is. */
export async function* mergeByTime(logs: readonly AsyncIterable<Batch>[]): AsyncGenerator<Batch> {
  const opening = logs.map(async (log) => await openHead(log[Symbol.asyncIterator]()))
  const heads = (await Promise.all(opening)).filter((head) => head !== undefined)
  try {
    while (heads.length > 0) {
      const [first, untilUs] = earliest(heads)
      const { batch, at } = first
      let end = at + 1
      while (end < batch.length && timeOf(batch, end) <= untilUs) end++
      yield batch.slice(at, end)
      first.at = end
      if (end === batch.length && !(await advance(first))) heads.splice(heads.indexOf(first), 1)
    }
  } finally {
    await Promise.all(heads.map(({ rest }) => rest.return?.()))
  }
}

async function openHead(rest: AsyncIterator<Batch>): Promise<Head | undefined> {
  const head: Head = { rest, batch: [], at: 0 }
  return (await advance(head)) ? head : undefined
}

async function advance(head: Head): Promise<boolean> {
  do {
    const { value, done } = await head.rest.next()
    if (done) return false
    Object.assign(head, { batch: value, at: 0 })
  } while (head.batch.length === 0)
  return true
}

/** The one that goes first, and until when none of the others has anything. */
function earliest(heads: readonly Head[]): [Head, number] {
  let first = heads[0] as Head
  let untilUs = Number.POSITIVE_INFINITY
  for (const head of heads.slice(1)) {
    const time = timeOf(head.batch, head.at)
    if (time < timeOf(first.batch, first.at)) {
      untilUs = Math.min(untilUs, timeOf(first.batch, first.at))
      first = head
    } else untilUs = Math.min(untilUs, time)
  }
  return [first, untilUs]
}

function timeOf(batch: Batch, at: number): number {
  return batch[at]?.timestampUs ?? 0
}

/** The newest lines of several logs: holds `count`, and what is added at a time. */
export function newestLines(count: number) {
  let kept: JournalLine[] = []
  return {
    add(lines: Batch): void {
      kept = [...kept, ...lines].toSorted(byTime).slice(-count)
    },
    lines: (): Batch => (count === 0 ? [] : kept),
  }
}

export interface Confluence {
  /** Resolves when the batch has been taken: whoever reads a log reads no further before. */
  put(batch: Batch): Promise<void>
  /** What has come, by time. Ends with the signal. */
  take(signal: AbortSignal): AsyncGenerator<Batch>
}

/** Lines that come from several machines within this are put in order. */
const WINDOW_MS = 40
/** So many lines at once are a flood, and a flood does not wait. */
const FLOOD_LINES = 100

/** Logs that go on: in order as far as they arrive together. Holds one batch of each log at most. */
export function createConfluence(): Confluence {
  let waiting: { readonly batch: Batch; readonly onTaken: () => void }[] = []
  let wake = (): void => {}
  const someCome = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (waiting.length > 0 || signal.aborted) return resolve()
      const done = (): void => {
        signal.removeEventListener('abort', done)
        wake = () => {}
        resolve()
      }
      wake = done
      signal.addEventListener('abort', done)
    })
  return {
    put: (batch) =>
      new Promise((onTaken) => {
        waiting.push({ batch, onTaken })
        wake()
      }),
    async *take(signal) {
      while (!signal.aborted) {
        await someCome(signal)
        const count = waiting.reduce((sum, { batch }) => sum + batch.length, 0)
        if (count < FLOOD_LINES) await sleep(systemClock, WINDOW_MS, signal)
        const taken = waiting
        waiting = []
        if (taken.length > 0) yield inTime(taken.map(({ batch }) => batch))
        for (const { onTaken } of taken) onTaken()
      }
      if (waiting.length > 0) yield inTime(waiting.map(({ batch }) => batch))
    },
  }
}

function inTime(batches: readonly Batch[]): Batch {
  if (batches.length === 1) return batches[0] as Batch
  const keyed = batches.flatMap((batch) => {
    let untilUs = 0
    return batch.map((line) => {
      // A machine whose clock was set back does not thereby say things in another order.
      untilUs = Math.max(untilUs, line.timestampUs)
      return { line, untilUs }
    })
  })
  return keyed.toSorted((one, other) => one.untilUs - other.untilUs).map(({ line }) => line)
}

function byTime(one: JournalLine, other: JournalLine): number {
  return one.timestampUs - other.timestampUs
}
