/** What many objects weigh in memory, and how long they take to open. */
import { residentMB } from '../flotilla/proc.ts'
import { startFlotilla } from '../flotilla/running.ts'
import { createIdle, unitName } from '../flotilla/units.ts'
import type { Settings } from '../harness/figure.ts'
import type { Collector } from '../harness/rounds.ts'
import { runLoad } from '../load/run.ts'
import { VALUE_BYTES } from './job.ts'
import { runStore } from './run.ts'

const COUNTS = [100_000, 1_000_000]

/** The folder of a server that has made one Unit, to be copied. */
async function dataWithOne(): Promise<string> {
  await using flotilla = await startFlotilla(['server'])
  const request = createIdle(flotilla.api, VALUE_BYTES)
  await runLoad({ do: 'burst', target: flotilla.api, request, connections: 1, firstNumber: 0, requests: 1 })
  return flotilla.dataDir
}

export async function measureManyKeys(collect: Collector, { quick, say }: Settings): Promise<void> {
  for (const keys of quick ? COUNTS.slice(0, 1) : COUNTS) {
    say(`store: ${keys} keys`)
    const folder = await dataWithOne()
    const like = `/r/flotilla.dev/units/-/${unitName(0)}`
    const { rssMB } = await runStore({ do: 'fill', place: { kind: 'embedded', folder }, keys, like, name: unitName(0) })
    const what = keys.toLocaleString('en').replaceAll(',', ' ')
    collect.add('embedded store', `RSS after writing ${what} keys of 1 KB, lmdb's map in it`, 'MB', rssMB)
    await using flotilla = await startFlotilla(['server'], folder)
    collect.add('flotilla server', `start to ready with ${what} objects`, 'ms', flotilla.readyMs)
    collect.add('flotilla server', `RSS with ${what} objects`, 'MB', await residentMB(flotilla.pid))
  }
}
