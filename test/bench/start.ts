/** From the start of the process to its ready line, and beside it what Node alone takes. */
import { runProcess } from '../support/process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { startFlotilla } from './flotilla/running.ts'
import { atMost, type Question } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'

const READY_MS = atMost(1_000)

export const start: Question = {
  name: 'start',
  asks: 'how long from the start of the process until the API server is ready?',
  async run({ quick }) {
    return {
      figures: await rounds(quick ? 1 : 7, 1, round),
      notes: ['on a new data folder the server also makes its certificate authority'],
    }
  },
}

async function round(collect: Collector): Promise<void> {
  const dataDir = tempDir()
  for (const what of ['start to ready, new data folder', 'start to ready, again on it']) {
    await using flotilla = await startFlotilla(['server'], dataDir)
    collect.add('flotilla server', what, 'ms', flotilla.readyMs, READY_MS)
  }
  await using whole = await startFlotilla(['up', '--machines', '0'])
  collect.add('flotilla up --machines 0', 'start to ready, new data folder', 'ms', whole.readyMs, READY_MS)
  const begun = performance.now()
  await runProcess([process.execPath, '--eval', '0'])
  collect.add('node --eval 0', 'start to end', 'ms', performance.now() - begun)
}
