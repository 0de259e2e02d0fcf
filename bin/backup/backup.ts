/** `flotilla backup`: everything there is, into one file. */
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { writeSnapshot } from '../../api-server/store/snapshot/file.ts'
import { DEFAULT_DATA_DIR } from '../defaults.ts'
import { readPki } from './pki-files.ts'
import { secretOf } from './secret.ts'
import { openSource, type SourceFlags } from './source.ts'
import { type Tally, tallying } from './tally.ts'
import type { Surroundings } from './work.ts'

export interface BackupFlags extends SourceFlags {
  readonly encryptWith?: string
  readonly withPki?: boolean
  readonly output?: string
}

interface Summary extends Tally {
  readonly file: string
  readonly from: string
  /** Its store's name, made when that was begun. */
  readonly store?: string | undefined
  /** Of the store; a decimal. */
  readonly revision: string
  readonly bytes: number
  readonly encrypted: boolean
  readonly pki: boolean
}

export async function backup(
  file: string,
  flags: BackupFlags,
  { env, signal, say, note }: Surroundings,
): Promise<void> {
  const folder = dirname(resolve(file))
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder} for the backup`)
  const secret = await secretOf(flags.encryptWith, env)
  const dataDir = flags.dataDir || env.FLOTILLA_DATA_DIR || DEFAULT_DATA_DIR
  const files = flags.withPki ? await readPki(dataDir) : []
  const source = await openSource(flags, env, signal)
  try {
    const { items, tally } = tallying(source.content.items)
    const content = { ...source.content, items, files }
    await writeSnapshot(file, content, { signal, ...(secret && { secret }) })
    const { size } = await stat(file)
    const facts = { file: resolve(file), from: source.from, revision: String(content.revision), bytes: size }
    const { store } = source.content
    const summary: Summary = { ...facts, ...tally(), store, encrypted: secret !== undefined, pki: files.length > 0 }
    await say(flags.output === 'json' ? JSON.stringify(summary) : sentence(summary))
    if (summary.pki && !summary.encrypted)
      note('it holds the keys of the control plane, and is not encrypted: keep it as you would keep them')
  } finally {
    await source.close()
  }
}

function sentence({ file, from, revision, bytes, encrypted, pki, objects, v2Keys, v2Index }: Summary): string {
  const how = [encrypted ? 'encrypted' : 'not encrypted', pki ? 'with' : 'without'].join(', ')
  const lines = [
    `${file}: ${bytes} bytes, ${how} the keys of the control plane`,
    `from ${from}, revision ${revision}: ${objects} objects, ${v2Keys} etcd v2 keys (index ${v2Index})`,
  ]
  return lines.join('\n')
}
