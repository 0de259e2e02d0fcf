/**
 * Removing history. What a change replaced is needed only to read or watch from before that change; so forgetting up to
 * a revision means deleting what was replaced at or before it, and the marks of deletes.
 */
import type { Sample } from './history-policy.ts'
import { addressOf, encodeNumber, revisionOf, type Tables } from './lmdb-layout.ts'
import type { LmdbReader } from './lmdb-reader.ts'
import type { LmdbWriter, Put } from './lmdb-writer.ts'
import type { Revision } from './store.ts'

export interface CompactionDeps {
  readonly tables: Tables
  readonly reader: LmdbReader
  readonly writer: LmdbWriter
}

/** Deletes one page of what is not needed to read at `target`; true once nothing of it is left. */
export async function compactStep({ tables, reader, writer }: CompactionDeps, target: Revision): Promise<boolean> {
  reader.refresh()
  const done = reader.number('compacted')
  if (done >= target) return true
  const { records, through } = reader.records(done, target)
  const puts: Put[] = []
  for (const { type, before, modified, place } of records) {
    const replaced = before && addressOf(before.modified, before.place)
    if (replaced) puts.push(() => void tables.log.remove(replaced))
    const mark = type === 'delete' ? addressOf(modified, place) : undefined
    if (mark) puts.push(() => void tables.log.remove(mark))
  }
  const compacted = encodeNumber(through)
  await writer.write([...puts, () => void tables.meta.put('compacted', compacted)])
  return through >= target
}

/** Samples on disk, so that ages survive a restart. */
export function readSamples({ clock }: Tables): Sample[] {
  const samples: Sample[] = []
  for (const { key, value } of clock.getRange({})) {
    samples.push({ revision: revisionOf(key), timeMs: Number(value.readBigUInt64BE(0)) })
  }
  return samples
}

/** Adds a sample and drops those at or below `compacted`, of which only the newest still says something. */
export async function recordSample(
  { tables, writer }: Pick<CompactionDeps, 'tables' | 'writer'>,
  { added, dropped }: { readonly added: Sample; readonly dropped: readonly Sample[] },
): Promise<void> {
  const key = encodeNumber(added.revision)
  const value = encodeNumber(BigInt(added.timeMs))
  const gone = dropped.map(({ revision }) => encodeNumber(revision))
  await writer.write([
    () => void tables.clock.put(key, value),
    ...gone.map((sample) => () => void tables.clock.remove(sample)),
  ])
}
