/**
 * What this agent did with each unit, in one small file. It must survive the agent, not the machine: a record counts
 * only in the boot it names, so it is renamed into place but not fsynced.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { UnitRecord } from './plan.ts'

const Records = z.array(
  z.object({
    uid: z.string(),
    name: z.string(),
    unitName: z.string(),
    hash: z.string(),
    epoch: z.string(),
    started: z.boolean(),
  }),
)

export interface RecordFile {
  /** No records when the file is missing or damaged: then what is installed is looked at anew. */
  load(): Promise<Map<string, UnitRecord>>
  save(records: ReadonlyMap<string, UnitRecord>): Promise<void>
}

export function openRecords(dataDir: string): RecordFile {
  const folder = join(dataDir, 'agent')
  const place = join(folder, 'records.json')
  return {
    load: async () => {
      try {
        const records = Records.parse(JSON.parse(await readFile(place, 'utf8')))
        return new Map(records.map((record) => [record.uid, record]))
      } catch {
        // Missing on the first start, cut short after a power loss: both mean that nothing is known of this boot.
        return new Map()
      }
    },
    save: async (records) => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(`${place}.new`, JSON.stringify([...records.values()]), { mode: 0o600 })
      await rename(`${place}.new`, place)
    },
  }
}
