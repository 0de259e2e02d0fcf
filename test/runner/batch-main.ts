/**
 * Runs several test files in one process, as uvu's own runner does, and notices a file that forgot `.run()`. Starting a
 * process and loading the packages costs more than most unit files take; the runner falls back to a process each
 * where a batch is not entirely well.
 */
import { resolve } from 'node:path'

const shared = globalThis as typeof globalThis & { UVU_DEFER?: 1; UVU_INDEX?: number; UVU_QUEUE: unknown[][] }
shared.UVU_DEFER = 1 // before uvu is loaded: it decides then that it is not alone
const { exec } = await import('uvu')

for (const [index, file] of process.argv.slice(2).entries()) {
  shared.UVU_INDEX = index
  shared.UVU_QUEUE[index] = [file]
  await import(resolve(file))
  if (shared.UVU_QUEUE[index]?.length === 1) throw new Error(`${file} never called .run()`)
}
await exec()
