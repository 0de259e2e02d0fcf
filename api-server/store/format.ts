/**
 * The version of the layout on disk (meta/format). A store is brought up to the present version when it is opened, one
 * step after the other, each a single transaction: a step is there whole or not at all, whenever the power goes. A store
 * that a newer program has written is refused before anything in it is touched.
 *
 *     1  keys, log, meta, clock
 *     2  meta/cluster: a name of the store's own, so that a backup can say where it comes from
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { encodeNumber, type Tables } from './lmdb-layout.ts'
import type { LmdbReader } from './lmdb-reader.ts'
import type { LmdbWriter, Put } from './lmdb-writer.ts'

export const FORMAT = 2n

/** What turns a store of one format into the next one. */
type Migration = (tables: Tables) => Promise<readonly Put[]>

/** By the format that they start from. */
const MIGRATIONS: ReadonlyMap<bigint, Migration> = new Map([[1n, async (tables) => [nameOf(tables)]]])

export interface FormatDeps {
  readonly tables: Tables
  readonly reader: LmdbReader
  readonly writer: LmdbWriter
  readonly log?: Pick<Logger, 'info'> | undefined
}

/** Throws, with what to do about it, where the store cannot be brought to the present format. */
export async function bringUpToFormat(deps: FormatDeps, migrations = MIGRATIONS): Promise<void> {
  const { tables, reader, writer, log } = deps
  const isNew = reader.number('format') === 0n && reader.number('revision') === 0n
  if (isNew) return writer.write(beginning(tables))
  for (;;) {
    const format = reader.number('format')
    if (format === FORMAT) return
    const migrate = migrations.get(format)
    if (format > FORMAT || migrate === undefined) throw new Error(refusal(format))
    await writer.write([...(await migrate(tables)), formatIs(tables, format + 1n)])
    reader.refresh()
    log?.info({ from: format, to: format + 1n }, 'the store was brought to a newer format')
  }
}

/** What a new store knows about itself. */
export function beginning(tables: Tables): readonly Put[] {
  return [formatIs(tables, FORMAT), nameOf(tables)]
}

function refusal(format: bigint): string {
  if (format > FORMAT) {
    return `the store was written by a newer Flotilla (format ${format}, this one knows up to ${FORMAT}): start the newer version, or restore a backup into an empty data directory`
  }
  return `the store has format ${format}, which this Flotilla (format ${FORMAT}) can no longer read: start a version in between first`
}

function formatIs({ meta }: Tables, format: bigint): Put {
  const value = encodeNumber(format)
  return () => void meta.put('format', value)
}

function nameOf({ meta }: Tables): Put {
  const name = Buffer.from(randomUUID())
  return () => void meta.put('cluster', name)
}
