/** `flotilla restore`: a backup becomes the store of a server that is not running. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { restoreIntoEtcd } from '../../api-server/store/etcd/restore.ts'
import { type RestoreOptions, restoreSnapshot } from '../../api-server/store/restore.ts'
import { type StoredFile, verifySnapshot } from '../../api-server/store/snapshot/file.ts'
import { type EtcdFlags, etcdOf } from '../etcd-flags.ts'
import { puttingAside } from './moved-store.ts'
import { hasOwnEtcd, type OwnEtcdFlags, startedOwnEtcd } from './own-etcd.ts'
import { checkPki, writePki } from './pki-files.ts'
import { reporting } from './progress.ts'
import { PASSPHRASE_VARIABLE, secretOf } from './secret.ts'
import type { Surroundings } from './work.ts'

export interface RestoreFlags extends EtcdFlags, OwnEtcdFlags {
  readonly store: 'embedded' | 'etcd'
  readonly dataDir?: string
  readonly decryptWith?: string
  readonly force?: boolean
  readonly output?: string
}

export async function restore(
  file: string,
  flags: RestoreFlags,
  { env, signal, say, note }: Surroundings,
): Promise<void> {
  const target = await targetOf(flags)
  if (!existsSync(file)) throw new Error(`there is no file ${file}`)
  const secret = await secretOf(flags.decryptWith, env)
  const { dataDir, force = false } = flags
  const options = { signal, force, ...(secret && { secret }) }
  const verified = await verify(file, options)
  const { storedFiles, isEncrypted } = verified
  if (dataDir) await checkPki(storedFiles, dataDir, force)
  else if (storedFiles.length > 0)
    note('the backup holds the keys of the control plane, which stay where they are: --data-dir says where they belong')
  const onFiles = async (files: readonly StoredFile[]) => {
    if (dataDir) await writePki(files, dataDir)
  }
  const done = await inPlace(flags, note, () =>
    target.run(file, { ...options, verified, onFiles, onProgress: reporting(note) }),
  )
  const pki = storedFiles.length > 0 && dataDir !== undefined
  const summary = { into: target.into, revision: String(done.revision), keys: done.keys, encrypted: isEncrypted, pki }
  await say(flags.output === 'json' ? JSON.stringify(summary) : sentence(summary, flags))
}

/** With etcd, what the data directory held before is put aside. */
async function inPlace<T>(
  { store, dataDir }: RestoreFlags,
  note: (text: string) => void,
  run: () => Promise<T>,
): Promise<T> {
  if (store !== 'etcd' || !dataDir) return run()
  const { done, aside } = await puttingAside(dataDir, run)
  if (aside) note(`the store that was in ${dataDir} is now ${aside}: remove it when all is well`)
  return done
}

async function verify(file: string, options: RestoreOptions) {
  try {
    return await verifySnapshot(file, options)
  } catch (error) {
    const hint = `: give --decrypt-with KEYFILE, or the passphrase in ${PASSPHRASE_VARIABLE}`
    const isLocked = error instanceof Error && error.message.includes('is encrypted')
    throw isLocked ? new Error(`${error.message}${hint}`, { cause: error }) : error
  }
}

interface Target {
  /** For people. */
  readonly into: string
  run(file: string, options: RestoreOptions): Promise<{ readonly revision: bigint; readonly keys: number }>
}

async function targetOf(flags: RestoreFlags): Promise<Target> {
  if (flags.store === 'etcd' && flags.dataDir && !flags.etcdEndpoints) return ownEtcdTarget(flags.dataDir, flags)
  const etcd = await etcdOf(flags)
  if (etcd)
    return {
      into: `the etcd at ${etcd.endpoints.join(', ')}`,
      run: (file, options) => restoreIntoEtcd(file, etcd, options),
    }
  const { dataDir } = flags
  if (!dataDir) throw new Error('say where to: --data-dir DIR, or --store etcd --etcd-endpoints URL,…')
  return { into: dataDir, run: (file, options) => restoreSnapshot(file, dataDir, options) }
}

/** Its certificates are of the control plane's authority, so the keys go before everything else here. */
function ownEtcdTarget(dataDir: string, flags: RestoreFlags): Target {
  if (!flags.clusterInit && !hasOwnEtcd(dataDir))
    throw new Error(
      'which etcd? Say --etcd-endpoints URL,… for one that runs, or --cluster-init to begin one in the --data-dir',
    )
  return {
    into: `the etcd in ${dataDir}`,
    async run(file, { onFiles, ...options }) {
      await onFiles?.(options.verified?.storedFiles ?? [])
      const own = await startedOwnEtcd(dataDir, flags, options.signal ?? new AbortController().signal)
      try {
        return await restoreIntoEtcd(file, own.etcd, options)
      } finally {
        await own.stop()
      }
    },
  }
}

function sentence(
  { into, revision, keys, pki }: { into: string; revision: string; keys: number; pki: boolean },
  { store, dataDir, etcdEndpoints }: RestoreFlags,
): string {
  const server =
    store === 'etcd'
      ? `flotilla server --store etcd${etcdEndpoints ? ` --etcd-endpoints ${etcdEndpoints}` : ''}${dataDir ? ` --data-dir ${dataDir}` : ''}`
      : `flotilla server --data-dir ${dataDir}`
  const identity =
    pki || (dataDir && existsSync(join(dataDir, 'pki')))
      ? 'machines and kubeconfigs go on as they are'
      : 'the backup holds no keys of the control plane: the server makes new ones where it has none, and machines and kubeconfigs then have to be given them'
  return `restored ${keys} keys into ${into}; it goes on at revision ${revision}\n${identity}\nnext: ${server}`
}
