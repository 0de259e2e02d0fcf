/**
 * Rounds of faults on one exclusive unit on three machines, judged afterwards by what the machines' own disks and
 * journals say: it never ran twice at once, and where a whole machine was frozen, which no machine can notice in time,
 * the tokens never fell.
 */
import * as assert from 'uvu/assert'
import { FAULTS_NEED, type LabFaults, labFaults } from '../support/lab-faults.ts'
import { type Product, startProduct } from '../support/product.ts'
import { type Random, seeded } from '../support/random.ts'
import { suiteOf } from '../support/requirements.ts'
import { tracesOf } from '../support/traces.ts'
import { createTicker, FAULTS, freeze, settled } from './exclusive/faults.ts'
import { fallenTokens, guardedResource, overlaps, type Run } from './exclusive/runs.ts'
import { forgetTicks, journaled, placeTicker, runsOf, writesOf } from './exclusive/ticker.ts'

export interface ExclusiveRounds {
  /** Names of `FAULTS`, one a round; so many picked at random where it is a number. */
  readonly rounds: readonly string[] | number
  readonly freezes: number
  readonly seed: number
  readonly leaseSeconds: number
}

const MACHINES = ['m1', 'm2', 'm3']
const LOOK_EVERY_ROUNDS = 10

interface Bed {
  readonly product: Product
  readonly faults: LabFaults
  readonly random: Random
  readonly leaseMs: number
}

export function exclusiveRoundsSuite(name: string, plan: ExclusiveRounds): void {
  const test = suiteOf(name, { needs: FAULTS_NEED })
  const random = seeded(plan.seed)
  const names = typeof plan.rounds === 'number' ? picked(random, plan.rounds) : plan.rounds
  let bed: Bed

  test.before(async () => {
    const product = await startProduct(['up', '--machines', '3', '--lease-duration', `${plan.leaseSeconds}s`])
    bed = { product, faults: labFaults(product), random, leaseMs: plan.leaseSeconds * 1_000 }
    await placeTicker(bed.faults, MACHINES)
    await createTicker(product)
  })

  test.after(async () => {
    if (bed === undefined) return // it never became ready, which is told already
    await bed.faults.restore()
    await bed.product.stop()
    assert.equal(await tracesOf(bed.product.dataDir), [])
  })

  test(`in ${names.length} rounds of faults it never runs twice at once`, () => neverTwice(bed, names))
  test(`in ${plan.freezes} freezes its tokens never fall`, () => neverFalling(bed, plan.freezes))
  test.run()
}

async function neverTwice({ product, faults, random, leaseMs }: Bed, names: readonly string[]): Promise<void> {
  const losses: number[] = []
  const lost = (atS: number) => void losses.push(atS)
  for (const [round, fault] of names.entries()) {
    const holder = await settled(product, faults, MACHINES)
    if (round % LOOK_EVERY_ROUNDS === 0) assert.equal(overlaps(await runsOf(faults, MACHINES)), [], `by round ${round}`)
    const stage = { product, faults, machines: MACHINES, random, leaseMs, holder, lost }
    await during(`round ${round + 1}, ${fault} on ${holder}`, FAULTS[fault]?.(stage), faults)
  }
  await settled(product, faults, MACHINES)
  const runs = await runsOf(faults, MACHINES)
  assert.equal(overlaps(runs), [])
  assert.equal(fallenTokens(runs), [])
  assert.ok(runs.length > names.length / 2, `it was started ${runs.length} times only`)
  const told = await journaled(faults, MACHINES)
  assert.equal(
    [...told].filter((invocation) => !runs.some((run) => run.invocation === invocation)),
    [],
  )
  console.log(`${names.length} rounds, ${runs.length} runs, 0 overlaps; ${measured(runs, losses)}`)
}

async function neverFalling({ product, faults }: Bed, freezes: number): Promise<void> {
  await settled(product, faults, MACHINES)
  await forgetTicks(faults, MACHINES)
  for (let round = 1; round <= freezes; round++) {
    const holder = await settled(product, faults, MACHINES)
    await during(`freeze ${round} of ${holder}`, freeze({ product, faults, holder }), faults)
  }
  await settled(product, faults, MACHINES)
  assert.equal(fallenTokens(await runsOf(faults, MACHINES)), [])
  const { accepted, refused, mixed } = guardedResource(await writesOf(faults, MACHINES))
  assert.is(mixed, 0)
  console.log(`${freezes} freezes: ${accepted} writes accepted, ${refused} refused, 0 regressions`)
}

function picked(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => random.pick(Object.keys(FAULTS)))
}

async function during(what: string, work: Promise<void> | undefined, faults: LabFaults): Promise<void> {
  try {
    await work
  } catch (error) {
    await faults.restore()
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error })
  }
}

/** From the fault to the last sign of the old run, and to the first of the next. */
function measured(runs: readonly Run[], losses: readonly number[]): string {
  const pairs = losses.flatMap((atS) => {
    const old = runs.find(({ fromS, toS }) => fromS < atS && toS >= atS)
    const next = runs.filter(({ fromS }) => fromS > atS).toSorted((one, other) => one.fromS - other.fromS)[0]
    return old && next ? [{ stoppedS: old.toS - atS, againS: next.fromS - atS, idleS: next.fromS - old.toS }] : []
  })
  const stopped = spread(pairs.map(({ stoppedS }) => stoppedS))
  const again = spread(pairs.map(({ againS }) => againS))
  return `lost → stopped ${stopped}; lost → elsewhere ${again}; idle between ${spread(pairs.map(({ idleS }) => idleS))}`
}

function spread(seconds: readonly number[]): string {
  const sorted = seconds.toSorted((one, other) => one - other)
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2)
  return `min ${at(0)} p50 ${at(0.5)} max ${at(1)} s (${sorted.length})`
}
