/** The scheduler as it runs: fed by caches as informers have them, and an API that takes a while for each write. */
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiError } from '../../../../controllers/lib/api-error.ts'
import type { ApiWriter, PatchOptions } from '../../../../controllers/lib/client.ts'
import { systemClock } from '../../../../controllers/lib/clock.ts'
import { createObjectCache, type ObjectCache } from '../../../../controllers/lib/object-cache.ts'
import { createFeed } from '../../../../controllers/scheduler/feed.ts'
import { createScheduler } from '../../../../controllers/scheduler/index.ts'
import { createRewording } from '../../../../controllers/scheduler/rewording.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'
import { until } from '../../../support/until.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const test = suite('rounds of the scheduler')
const WRITE_MS = 2

interface Played {
  putMachine(machine: Machine): void
  putUnit(unit: Unit): void
  unit(name: string): Unit | undefined
  readonly writes: string[]
  readonly most: () => number
  /** Answers so to the next write. */
  failWith(error: Error): void
  stop(): Promise<void>
}

function play(): Played {
  const machines = createObjectCache(log)
  const api = playApi()
  const stop = new AbortController()
  const running = createScheduler({
    machines: informerOf<Machine>(machines),
    units: informerOf<Unit>(api.units),
    client: { patch: api.patch as unknown as ApiWriter['patch'] },
    events: { record: () => undefined },
    log,
  }).start(stop.signal)
  return {
    ...api,
    putMachine: (object) => machines.put(object),
    unit: (name) => api.units.get(name) as Unit | undefined,
    stop: () => {
      stop.abort()
      return running
    },
  }
}

function informerOf<T>(cache: ObjectCache) {
  return { ...cache, get: (name: string) => cache.get(name) as T | undefined, list: () => cache.list() as T[] }
}

function playApi() {
  const units = createObjectCache(log)
  let [version, underway, most] = [0, 0, 0]
  let failure: Error | undefined
  const writes: string[] = []
  const putUnit = (object: Unit): void => {
    units.put({ ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } })
  }
  const write = (name: string, { body }: PatchOptions): void => {
    const { metadata, spec, status } = body as Unit
    const before = units.get(name) as Unit | undefined
    if (!before || before.metadata.resourceVersion !== metadata.resourceVersion) throw new ApiError(409, {})
    writes.push(name)
    putUnit({ ...before, spec: { ...before.spec, ...spec }, ...(status && { status }) })
  }
  const patch = async (_: unknown, name: string, options: PatchOptions): Promise<void> => {
    most = Math.max(most, ++underway)
    await new Promise<void>((written) => systemClock.timer(WRITE_MS, written))
    underway--
    const failed = failure
    failure = undefined
    if (failed) throw failed
    write(name, options)
  }
  const failWith = (error: Error): void => {
    failure = error
  }
  return { units, writes, putUnit, patch, failWith, most: () => most }
}

const isBound = (played: Played, name: string) => () => played.unit(name)?.spec.machineName

test('a thousand units on three machines are written once each, many at a time, and evenly', async () => {
  const played = play()
  for (const name of ['m1', 'm2', 'm3']) played.putMachine(machine(name))
  const names = Array.from({ length: 999 }, (_, n) => `u${n}.service`)
  const begun = performance.now()
  for (const name of names) played.putUnit(unit(name))
  await until(() => played.writes.length >= names.length, { what: 'all are bound' })
  const tookMs = performance.now() - begun
  await played.stop()
  assert.is(new Set(played.writes).size, names.length)
  assert.is(played.writes.length, names.length)
  const loads = names.map((name) => played.unit(name)?.spec.machineName)
  for (const each of ['m1', 'm2', 'm3']) assert.is(loads.filter((name) => name === each).length, 333)
  assert.ok(played.most() >= 16, `${played.most()} writes at a time`)
  log.warn({ tookMs }, 'a thousand units')
})

test('one that comes while others are written is not kept waiting for all of them', async () => {
  const played = play()
  played.putMachine(machine('m1'))
  for (let n = 0; n < 200; n++) played.putUnit(unit(`u${n}.service`))
  await until(() => played.writes.length > 0, { what: 'the first is bound' })
  played.putUnit(unit('late.service'))
  await until(isBound(played, 'late.service'), { what: 'the late one is bound' })
  await played.stop()
})

test('a write that fails, or comes too late, is decided again', async () => {
  const played = play()
  played.putMachine(machine('m1'))
  const failures = [new ApiError(500, {}), new ApiError(409, {}), new Error('connection reset')]
  for (const [n, failure] of failures.entries()) {
    played.failWith(failure)
    played.putUnit(unit(`u${n}.service`))
    if (!(failure instanceof ApiError && failure.code === 409))
      await until(isBound(played, `u${n}.service`), { what: `bound after ${failure.message}` })
  }
  await until(() => played.writes.length === 3, { what: 'all three are bound' })
  await played.stop()
})

test('a unit that fits nowhere is told so, and goes as soon as a machine comes that takes it', async () => {
  const played = play()
  played.putMachine(machine('m1', { spec: { unschedulable: true } }))
  played.putUnit(unit('a.service'))
  await until(() => played.unit('a.service')?.status?.conditions, { what: 'it is told' })
  played.putMachine(machine('m2'))
  await until(() => played.unit('a.service')?.spec.machineName === 'm2', { what: 'it is on m2' })
  await played.stop()
})

test('new words are limited, and everybody has a turn', () => {
  const rewording = createRewording()
  const names = Array.from({ length: 120 }, (_, n) => unit(`u${100 + n}.service`))
  const round = (units: readonly Unit[], second: number): Unit[] => {
    rewording.begin(second * 1_000)
    return units.filter(rewording.may)
  }
  // The first ones always have something new to hear.
  assert.equal(round(names, 1), names.slice(0, 50))
  assert.type(rewording.end(), 'number')
  assert.equal(round(names, 2), names.slice(50, 100))
  assert.type(rewording.end(), 'number')
  assert.equal(round(names, 3), names.slice(100))
  assert.type(rewording.end(), 'number')
  assert.equal(round(names.slice(0, 9), 4), names.slice(0, 9))
  assert.is(rewording.end(), undefined)
})

test('a planner that lost count is made anew', () => {
  const caches = { machines: createObjectCache(log), units: createObjectCache(log) }
  let listed: Unit[] = []
  const feed = createFeed({
    machines: { ...caches.machines, get: () => undefined, list: () => [] },
    units: { ...caches.units, get: () => undefined, list: () => listed },
    clock: systemClock,
    log,
    checkEveryMs: 0,
  })
  const first = feed.upToDate()
  assert.is(feed.upToDate(), first)
  // Nobody told of it.
  listed = [unit('a.service')]
  const second = feed.upToDate()
  assert.is.not(second, first)
  assert.is(second.drift([], listed), undefined)
})

test('what fails half-way leaves nothing behind', () => {
  const cache = createObjectCache(log)
  const informer = { ...cache, get: () => undefined, list: () => [] }
  const feed = createFeed({ machines: informer, units: informer, clock: systemClock, log, checkEveryMs: 60_000 })
  const first = feed.upToDate()
  const fail = (): never => {
    throw new Error('half-way')
  }
  assert.throws(() => feed.guarded(fail), 'half-way')
  assert.is.not(feed.upToDate(), first)
})

test.run()
