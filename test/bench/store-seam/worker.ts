/** A process with one store open: does the job that is its argument and prints the result. */
import { residentMB } from '../flotilla/proc.ts'
import { openContender } from './contender.ts'
import { fillLike } from './fill.ts'
import type { Job } from './job.ts'
import { speedOf } from './speed.ts'

async function answerTo(job: Job): Promise<unknown> {
  if (job.do === 'fill') {
    await fillLike(job)
    return { rssMB: await residentMB(process.pid) }
  }
  const store = await openContender(job.place)
  const result = await speedOf(store, job)
  await store.close()
  return result
}

console.log(JSON.stringify(await answerTo(JSON.parse(process.argv[2] ?? ''))))
