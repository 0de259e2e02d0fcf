/**
 * Logs that go on: of every unit that belongs to the subjects, on whichever machine it is. Units that come are read too,
 * one that moves is read where it went, one that vanishes is let go.
 */
import { isApiError } from '../../controllers/lib/api-error.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { Unit } from '../../crds/unit.ts'
import type { Api } from './api.ts'
import { describeFailure } from './failure.ts'
import { holderOf } from './instances.ts'
import { createConfluence } from './journal-merge.ts'
import { type JournalLine, readSource, type Source, sourceName } from './journal-source.ts'
import { type Crowd, type Subjects, watchCrowd } from './journal-subjects.ts'

/** Each open log is a connection here and a process on its machine. */
export const MAX_OPEN = 96
/** What a unit says at its end still comes after the object is gone. */
const LINGER_MS = 700
/** The new machine may log before we hear of the move, and its clock may be a little behind. */
const MOVE_SLACK_US = 5_000_000

export interface FollowRequest {
  readonly subjects: Subjects
  /** Where the watch of each crowd begins. */
  readonly versions: readonly string[]
  /** Already read up to their cursors. */
  readonly sources: readonly Source[]
  readonly signal: AbortSignal
  readonly onNotice: (text: string) => void
}

interface Reader {
  readonly source: Source
  readonly stop: AbortController
}

interface Following {
  readonly api: Api
  readonly request: FollowRequest
  readonly confluence: ReturnType<typeof createConfluence>
  /** By the unit's name; by `machine/NAME` for machines. */
  readonly readers: Map<string, Reader>
  /** Beyond what may be open at once. */
  readonly waiting: Map<string, Source>
  /** A unit may come back to a machine: what was shown of it there. */
  readonly cursors: Map<string, string>
  readonly done: AbortController
  hasWarned: boolean
}

/** Ends with the signal, and when every unit that was named is gone. Rejects when the server refuses for good. */
export async function* followLogs(api: Api, request: FollowRequest): AsyncGenerator<readonly JournalLine[]> {
  const done = new AbortController()
  const onStop = (): void => done.abort(request.signal.reason)
  request.signal.addEventListener('abort', onStop, { once: true })
  if (request.signal.aborted) onStop()
  const rest = { readers: new Map(), waiting: new Map(), cursors: new Map(), hasWarned: false }
  const following: Following = { api, request, confluence: createConfluence(), ...rest, done }
  let trouble: unknown
  const fail = (error: unknown): void => {
    if (!done.signal.aborted) trouble = error
    done.abort()
  }
  for (const source of request.sources) open(following, source)
  const watches = watchAll(following).map((watch) => watch.catch(fail))
  try {
    yield* following.confluence.take(done.signal)
    if (trouble !== undefined) throw trouble
  } finally {
    request.signal.removeEventListener('abort', onStop)
    done.abort()
    for (const { stop } of following.readers.values()) stop.abort()
    await Promise.all(watches)
  }
}

function watchAll(following: Following): Promise<void>[] {
  const { api, request, done } = following
  const sight = {
    see: (unit: Readonly<Unit>) => see(following, unit),
    gone: (name: string, crowd: Crowd) => gone(following, name, crowd),
  }
  const singles = new Set(request.subjects.crowds.flatMap(({ single }) => single ?? []))
  const isAllNamed = singles.size === request.subjects.crowds.length && request.subjects.machines.length === 0
  const leave = (name: string, crowd: Crowd): void => {
    sight.gone(name, crowd)
    singles.delete(name)
    if (isAllNamed && singles.size === 0) void endSoon(following)
  }
  return request.subjects.crowds.map((crowd, at) =>
    watchCrowd(api, crowd, request.versions[at] ?? '', { see: sight.see, gone: leave }, done.signal),
  )
}

async function endSoon({ done }: Following): Promise<void> {
  await sleep(systemClock, LINGER_MS, done.signal)
  done.abort()
}

function see(following: Following, unit: Readonly<Unit>): void {
  const { name } = unit.metadata
  const machine = holderOf(unit)
  const before = following.readers.get(name)?.source ?? following.waiting.get(name)
  if (machine === undefined || before?.machine === machine) return
  if (before) following.request.onNotice(`${name} moved from ${before.machine} to ${machine}`)
  close(following, name)
  const cursor = following.cursors.get(`${name}@${machine}`)
  open(following, { unit: name, machine, cursor, notBeforeUs: Date.now() * 1_000 - MOVE_SLACK_US })
}

function gone(following: Following, name: string, { single }: Crowd): void {
  const reader = following.readers.get(name)
  following.request.onNotice(single === undefined ? `${name} is gone` : 'the unit was deleted')
  following.waiting.delete(name)
  if (reader === undefined) return
  void sleep(systemClock, LINGER_MS, following.done.signal).then(() => {
    if (following.readers.get(name) === reader) close(following, name)
  })
}

function close(following: Following, key: string): void {
  const { readers, waiting, cursors } = following
  waiting.delete(key)
  const reader = readers.get(key)
  if (reader === undefined) return
  const { source, stop } = reader
  if (source.cursor !== undefined) cursors.set(`${key}@${source.machine}`, source.cursor)
  stop.abort()
  readers.delete(key)
  const [next] = waiting
  if (next === undefined) return
  waiting.delete(next[0])
  open(following, next[1])
}

function open(following: Following, source: Source): void {
  const { readers, waiting, request } = following
  const key = source.unit ?? `machine/${source.machine}`
  if (readers.size >= MAX_OPEN) {
    waiting.set(key, source)
    if (!following.hasWarned)
      request.onNotice(
        `only ${MAX_OPEN} logs are followed at a time; the others wait until one of them ends: name fewer`,
      )
    following.hasWarned = true
    return
  }
  const reader: Reader = { source, stop: new AbortController() }
  readers.set(key, reader)
  void pump(following, reader)
}

/** One log's trouble is told, and ends that log alone. */
async function pump({ api, confluence, request: { onNotice } }: Following, { source, stop }: Reader): Promise<void> {
  try {
    for await (const lines of readSource(api, source, { follow: true, signal: stop.signal, onNotice })) {
      if (stop.signal.aborted) return
      await confluence.put(lines)
    }
  } catch (error) {
    if (!stop.signal.aborted) onNotice(tellTrouble(source, error))
  }
}

function tellTrouble(source: Source, error: unknown): string {
  const why = isApiError(error, 404) ? 'it is gone' : describeFailure(error)
  return `the log of ${sourceName(source)} is not followed any more: ${why}`
}
