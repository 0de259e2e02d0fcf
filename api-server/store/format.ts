/**
 * The version of the layout on disk (meta/format). A store is brought up to the present version when it is opened; one
 * that a newer program has written is refused before anything in it is touched.
 */
import { encodeNumber, type Tables } from './lmdb-layout.ts'
import type { LmdbReader } from './lmdb-reader.ts'
import type { LmdbWriter } from './lmdb-writer.ts'

export const FORMAT = 1n

/** Turns a store of the format that is its key into the next one. */
type Migration = (tables: Tables) => Promise<void>

const MIGRATIONS: ReadonlyMap<bigint, Migration> = new Map()

export interface FormatDeps {
  readonly tables: Tables
  readonly reader: LmdbReader
  readonly writer: LmdbWriter
}

/** Throws, with what to do about it, where the store cannot be brought to the present format. */
export async function bringUpToFormat({ tables, reader, writer }: FormatDeps, migrations = MIGRATIONS): Promise<void> {
  const isNew = reader.number('format') === 0n && reader.number('revision') === 0n
  if (isNew) return markFormat({ tables, writer }, FORMAT)
  for (;;) {
    const format = reader.number('format')
    if (format === FORMAT) return
    const migrate = migrations.get(format)
    if (format > FORMAT || migrate === undefined) throw new Error(refusal(format))
    await migrate(tables)
    await markFormat({ tables, writer }, format + 1n)
    reader.refresh()
  }
}

function refusal(format: bigint): string {
  if (format > FORMAT) {
    return `the store was written by a newer Flotilla (format ${format}, this one knows up to ${FORMAT}): start the newer version, or restore a snapshot into an empty data directory`
  }
  return `the store has format ${format}, which this Flotilla (format ${FORMAT}) can no longer read: start a version in between first`
}

function markFormat({ tables, writer }: Pick<FormatDeps, 'tables' | 'writer'>, format: bigint): Promise<void> {
  const value = encodeNumber(format)
  return writer.write([() => void tables.meta.put('format', value)])
}
