/** Where a backup's content comes from: a running server, the files of a stopped one, or an etcd. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BACKUP_PATH } from '../../api-server/http/backup.ts'
import { openEmbeddedStore, storeFolder } from '../../api-server/store/embedded.ts'
import { openExistingEtcdStore } from '../../api-server/store/etcd/existing.ts'
import { receiveSnapshot, type SnapshotContent } from '../../api-server/store/snapshot/file.ts'
import type { Store } from '../../api-server/store/store.ts'
import { openApi } from '../client/api.ts'
import type { KubeconfigChoice } from '../client/kubeconfig.ts'
import { UnreachableError } from '../client/unreachable.ts'
import { type EtcdFlags, etcdOf } from '../etcd-flags.ts'
import { hasOwnEtcd, startedOwnEtcd } from './own-etcd.ts'

export interface SourceFlags extends KubeconfigChoice, EtcdFlags {
  /** Of a data directory that holds both. */
  readonly store?: 'embedded' | 'etcd'
}

export interface Source {
  readonly content: SnapshotContent
  /** "the server at https://…", for people. */
  readonly from: string
  close(): Promise<void>
}

/** The server sends nothing while it reads a large value, and etcd may think for some seconds. */
const SILENCE_MS = 60_000

type Environment = Readonly<Record<string, string | undefined>>

/** A server that answers knows best what is current; what lies on the disk is taken only where it does not. */
export async function openSource(flags: SourceFlags, env: Environment, signal: AbortSignal): Promise<Source> {
  if (flags.etcdEndpoints) return fromEtcd(flags, signal)
  const { dataDir } = flags
  if (!dataDir || flags.kubeconfig) return fromServer(flags, env, signal)
  if (!existsSync(join(dataDir, 'kubeconfig'))) return fromDisk(dataDir, flags, signal)
  try {
    return await fromServer(flags, env, signal)
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    return fromDisk(dataDir, flags, signal)
  }
}

/** Throws a sentence where both kinds of store lie there: one of them is a stage that was left behind. */
async function fromDisk(dataDir: string, { store }: SourceFlags, signal: AbortSignal): Promise<Source> {
  const found = { embedded: existsSync(storeFolder(dataDir)), etcd: hasOwnEtcd(dataDir) }
  if (found.embedded && found.etcd && store === undefined)
    throw new Error(`${dataDir} holds an embedded store and an etcd: say which with --store embedded or --store etcd`)
  const chosen = store ?? (found.etcd ? 'etcd' : 'embedded')
  if (!found[chosen])
    throw new Error(
      `no server answers for ${dataDir} and there is no store in it; is it in an etcd elsewhere? Then say --etcd-endpoints`,
    )
  if (chosen === 'etcd') return fromOwnEtcd(dataDir, signal)
  return contentOf(await openEmbeddedStore({ dataDir }), `the files in ${dataDir}`, signal)
}

async function fromOwnEtcd(dataDir: string, signal: AbortSignal): Promise<Source> {
  const own = await startedOwnEtcd(dataDir, {}, signal)
  try {
    const source = await contentOf(await openExistingEtcdStore(own.etcd), `the etcd in ${dataDir}`, signal)
    return { ...source, close: () => source.close().finally(() => own.stop()) }
  } catch (error) {
    await own.stop()
    throw error
  }
}

async function fromEtcd(flags: SourceFlags, signal: AbortSignal): Promise<Source> {
  const etcd = await etcdOf({ ...flags, store: 'etcd' })
  if (etcd === undefined) throw new Error('--store etcd needs --etcd-endpoints https://HOST:2379,…')
  return contentOf(await openExistingEtcdStore(etcd), `the etcd at ${etcd.endpoints.join(', ')}`, signal)
}

async function contentOf(store: Store, from: string, signal: AbortSignal): Promise<Source> {
  const close = async () => store[Symbol.asyncDispose]()
  try {
    return { content: await store.everything({ signal }), from, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function fromServer(flags: KubeconfigChoice, env: Environment, signal: AbortSignal): Promise<Source> {
  const api = openApi(flags, env)
  try {
    const accept = 'application/octet-stream'
    const stream = await api.stream(BACKUP_PATH, { silenceMs: SILENCE_MS, accept, signal })
    return {
      content: await receiveSnapshot(unlessBroken(stream)),
      from: `the server at ${api.server}`,
      close: () => api.close(),
    }
  } catch (error) {
    await api.close()
    throw error
  }
}

/** A stream that has begun and breaks is no server that is not there. */
async function* unlessBroken(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    throw new Error('the backup broke off before its end, and nothing was written: run it again', { cause: error })
  }
}
