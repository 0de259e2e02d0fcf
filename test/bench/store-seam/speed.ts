/** How fast a store is, measured in the process that has it open. */
import { spreadOf } from '../harness/statistics.ts'
import type { Contender } from './contender.ts'
import { KEYS, type PutResult, READS_BESIDE, type SpeedJob, type SpeedResult, VALUE_BYTES } from './job.ts'

const PREFIX = '/bench/'
const VALUE = Buffer.alloc(VALUE_BYTES, 'x')
const RANGES = 5
const GETTERS = 4

const keyOf = (number: number) => `${PREFIX}${String(number % KEYS).padStart(8, '0')}`

/** Each of `writers` puts the next when its last is answered, until `goesOn` says no; the latencies. */
async function putting(store: Contender, writers: number, goesOn: (sent: number) => boolean): Promise<number[]> {
  const latencies: number[] = []
  let sent = 0
  const write = async () => {
    while (goesOn(sent)) {
      const begunMs = performance.now()
      await store.put(keyOf(sent++), VALUE)
      latencies.push(performance.now() - begunMs)
    }
  }
  await Promise.all(Array.from({ length: writers }, write))
  return latencies
}

async function putsOf(store: Contender, writers: number, durationMs: number): Promise<PutResult> {
  const begunMs = performance.now()
  const cpu = process.cpuUsage()
  const latencies = await putting(store, writers, () => performance.now() < begunMs + durationMs)
  const { user, system } = process.cpuUsage(cpu)
  return {
    writers,
    perSecond: latencies.length / ((performance.now() - begunMs) / 1_000),
    latencyMs: spreadOf(latencies),
    cpuMicrosPerPut: (user + system) / latencies.length,
  }
}

async function rangesOf(store: Contender): Promise<number[]> {
  const took: number[] = []
  for (let i = 0; i < RANGES; i++) {
    const begunMs = performance.now()
    const found = await store.range(PREFIX)
    took.push(performance.now() - begunMs)
    if (found !== KEYS) throw new Error(`a range of ${found} instead of ${KEYS} keys`)
  }
  return took
}

async function getsBesideWrites(store: Contender, durationMs: number): Promise<number[]> {
  const endMs = performance.now() + durationMs
  const goesOn = () => performance.now() < endMs
  const latencies: number[] = []
  const read = async (first: number) => {
    for (let number = first; goesOn(); number += GETTERS) {
      const begunMs = performance.now()
      await store.get(keyOf(number))
      latencies.push(performance.now() - begunMs)
      await new Promise((resolve) => setImmediate(resolve)) // a get that waits for nothing would let nobody else run
    }
  }
  await Promise.all([putting(store, READS_BESIDE, goesOn), ...Array.from({ length: GETTERS }, (_, i) => read(i))])
  return latencies
}

export async function speedOf(store: Contender, { writers, durationMs }: SpeedJob): Promise<SpeedResult> {
  await putting(store, READS_BESIDE, (sent) => sent < KEYS) // all keys are there, and the code is warm
  const puts: PutResult[] = []
  for (const count of writers) puts.push(await putsOf(store, count, durationMs))
  const rangeMs = spreadOf(await rangesOf(store))
  const before = await store.revision()
  await putting(store, READS_BESIDE, (sent) => sent < KEYS)
  const begunMs = performance.now()
  await store.replay(before, KEYS)
  const replayMs = performance.now() - begunMs
  const getMs = spreadOf(await getsBesideWrites(store, durationMs))
  return { puts, rangeMs, replayMs, getMs }
}
