/** Where a backup's content comes from: a running server, the files of a stopped one, or an etcd. */
import { existsSync } from 'node:fs'
import { BACKUP_PATH } from '../../api-server/http/backup.ts'
import { openEmbeddedStore, storeFolder } from '../../api-server/store/embedded.ts'
import { openExistingEtcdStore } from '../../api-server/store/etcd/existing.ts'
import { receiveSnapshot, type SnapshotContent } from '../../api-server/store/snapshot/file.ts'
import type { Store } from '../../api-server/store/store.ts'
import { openApi } from '../client/api.ts'
import type { KubeconfigChoice } from '../client/kubeconfig.ts'
import { UnreachableError } from '../client/unreachable.ts'
import { type EtcdFlags, etcdOf } from '../etcd-flags.ts'

export interface SourceFlags extends KubeconfigChoice, EtcdFlags {}

export interface Source {
  readonly content: SnapshotContent
  /** "the server at https://…", for people. */
  readonly from: string
  close(): Promise<void>
}

/** The server sends nothing while it reads a large value, and etcd may think for some seconds. */
const SILENCE_MS = 60_000
const IN_USE = /is in use by process \d+/

export async function openSource(
  flags: SourceFlags,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Source> {
  if (flags.etcdEndpoints) return fromEtcd(flags, signal)
  const stopped = flags.dataDir && !flags.kubeconfig ? await fromFiles(flags.dataDir, signal) : undefined
  return stopped ?? fromServer(flags, env, signal)
}

/** Undefined where a server has the files open, or keeps its objects elsewhere: then it is to be asked. */
async function fromFiles(dataDir: string, signal: AbortSignal): Promise<Source | undefined> {
  if (!existsSync(storeFolder(dataDir))) return undefined
  try {
    return await contentOf(await openEmbeddedStore({ dataDir }), `the files in ${dataDir}`, signal)
  } catch (error) {
    if (error instanceof Error && IN_USE.test(error.message)) return undefined
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

async function fromServer(
  flags: KubeconfigChoice,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Source> {
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
