import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiError } from '../../../../controllers/lib/api-error.ts'
import { createController, DONE, type Reconcile, TerminalError } from '../../../../controllers/lib/controller.ts'
import { until } from '../../../support/until.ts'

const test = suite('controller')
const log = pino({ level: 'silent' })
const backoff = { firstMs: 1, maxMs: 2 }

async function withController(reconcile: Reconcile, use: (c: ReturnType<typeof createController>) => Promise<void>) {
  const controller = createController({ name: 'test', reconcile, log, backoff, timeoutMs: 50 })
  const stop = new AbortController()
  const running = controller.start(stop.signal)
  try {
    await use(controller)
  } finally {
    stop.abort()
    await running
  }
}

test('a failed run is tried again until it goes well', async () => {
  let runs = 0
  const flaky: Reconcile = async () => {
    if (++runs < 3) throw new Error('not yet')
    return DONE
  }
  await withController(flaky, async ({ enqueue, stats }) => {
    enqueue('a')
    await until(() => runs === 3, { what: 'third run' })
    assert.equal({ ...stats }, { runs: 3, conflicts: 0, failures: 2 })
  })
})

test('a lost compare-and-set is tried again and is no failure', async () => {
  let runs = 0
  const loser: Reconcile = async () => {
    if (++runs === 1) throw new ApiError(409, { reason: 'Conflict' })
    return DONE
  }
  await withController(loser, async ({ enqueue, stats }) => {
    enqueue('a')
    await until(() => runs === 2, { what: 'second run' })
    assert.equal({ ...stats }, { runs: 2, conflicts: 1, failures: 0 })
  })
})

test('a terminal error rests until the object changes', async () => {
  let runs = 0
  const hopeless: Reconcile = async ({ name }) => {
    if (name === 'other') return DONE
    runs++
    throw new TerminalError('the spec is wrong')
  }
  await withController(hopeless, async ({ enqueue, stats }) => {
    enqueue('a')
    await until(() => stats.failures === 1, { what: 'the failure' })
    enqueue('other')
    await until(() => stats.runs === 2, { what: 'another key' })
    enqueue('a')
    await until(() => runs === 2, { what: 'the run after a change' })
  })
})

test('a run that hangs is cut off by its deadline', async () => {
  let runs = 0
  const hanging: Reconcile = () => (++runs === 1 ? new Promise(() => {}) : Promise.resolve(DONE))
  await withController(hanging, async ({ enqueue }) => {
    enqueue('a')
    await until(() => runs === 2, { what: 'the run after the hanging one' })
  })
})

test.run()
