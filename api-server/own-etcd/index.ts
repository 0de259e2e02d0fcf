/**
 * `flotilla server --store etcd` with an etcd of its own: begins or joins a cluster, keeps etcd running beside the
 * server, and follows who the members are.
 *
 * Flags are needed once: what was settled at the first start is in `etcd-member.json`, and later starts with the same
 * data directory go on from there, whatever was said in them.
 */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { openPki } from '../auth/pki.ts'
import type { ControlPlane, ControlPlaneCredentials } from '../http/control-plane.ts'
import { etcdCluster } from '../store/etcd/cluster.ts'
import type { OpenOptions } from '../store/open.ts'
import { chooseAddresses, type ListenFlags } from './addresses.ts'
import { administration } from './administration.ts'
import { adoptAuthority, readAuthority } from './authority.ts'
import { type EtcdCertificates, etcdCertificates } from './certificates.ts'
import { type EtcdChild, endLeftover, etcdBinary, superviseEtcd } from './child.ts'
import { type Bootstrap, etcdArguments } from './command-line.ts'
import { type DataFolder, dataFolderOf } from './data-folder.ts'
import { joinCluster } from './join.ts'
import { type MemberFile, readMemberFile, writeMemberFile } from './member-file.ts'
import { membersWatch } from './members-watch.ts'

export interface OwnEtcdOptions {
  readonly dataDir: string
  /** What to do where this server is no member yet; undefined: nothing, it must be one. */
  readonly become?: Become | undefined
  readonly listen: ListenFlags
  /** Path, or name in $PATH. */
  readonly binary?: string | undefined
  readonly quotaBytes?: number | undefined
  readonly log: Logger
}

export type Become =
  | { readonly do: 'init' }
  /** With as many others as the discovery URL was made for, all holding the same authority. */
  | { readonly do: 'discover'; readonly url: string }
  /** `fetch` asks a running server, as its administrator. */
  | { readonly do: 'join'; readonly fetch: () => Promise<ControlPlaneCredentials> }

export interface OwnEtcd {
  /** How the API server reaches its store. */
  readonly etcd: NonNullable<OpenOptions['etcd']>
  readonly controlPlane: ControlPlane
  /** After the server is closed. */
  stop(): Promise<void>
}

interface Started {
  readonly child: EtcdChild
  readonly member: MemberFile
  readonly certificates: EtcdCertificates
}

interface Place {
  readonly options: OwnEtcdOptions
  readonly data: DataFolder
  readonly binary: string
  readonly pidFile: string
}

/**
 * Requests that were on their way through a member that died are asked again after this long: together with the election
 * (1 to 2 s by etcd's defaults) it bounds how long writes stand still.
 */
const TIMEOUTS = { attemptMs: 1_000, callMs: 10_000 }
const PAUSE_MS = 100
const SILENCE_TOLD_AFTER_MS = 10_000
const PROBE_MS = 1_000

/** Resolves when the store can be opened. Rejects, etcd stopped, with a sentence, or the signal's reason. */
export async function startOwnEtcd(options: OwnEtcdOptions, signal: AbortSignal): Promise<OwnEtcd> {
  const dataDir = resolve(options.dataDir)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const data = dataFolderOf(dataDir)
  const place: Place = {
    options: { ...options, dataDir },
    data,
    binary: etcdBinary(options.binary),
    pidFile: join(dataDir, 'etcd.pid'),
  }
  await endLeftover(place.pidFile, data.path, options.log)
  return serving(place, await started(place, signal))
}

async function started(place: Place, signal: AbortSignal): Promise<Started> {
  const { dataDir, become, listen } = place.options
  const stored = await readMemberFile(dataDir)
  if (stored !== undefined) refuseOtherAddresses(stored, listen)
  const isMember = stored?.phase === 'member' && (await place.data.hasData())
  if (!isMember && become === undefined) throw new Error(notAMember(stored))
  // Whoever was joining may vote already: to begin anew here would be a second cluster under the same names.
  if (stored?.phase === 'joining' && become?.do !== 'join') throw new Error(notAMember(stored))
  if (stored?.phase === 'member' && !isMember && become?.do !== 'join')
    throw new Error(`${place.data.path} is gone: restore it, or join the other servers again with --join KUBECONFIG`)
  const found = isMember || become?.do !== 'join' ? undefined : await fetchCredentials(place, become.fetch, stored)
  const planned = stored ?? (await plannedMember(listen))
  const phase = isMember ? 'member' : become?.do === 'join' ? 'joining' : 'initializing'
  const member: MemberFile = { ...planned, phase, endpoints: [...(found ?? planned.endpoints)] }
  await writeMemberFile(dataDir, member)
  const hosts = [member.clientUrl, member.peerUrl].map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ''))
  const certificates = await etcdCertificates(await openPki(dataDir), dataDir, hosts)
  const child = await running(place, member, certificates, signal)
  const done: MemberFile = { ...member, phase: 'member' }
  await writeMemberFile(dataDir, done)
  return { child, member: done, certificates }
}

function notAMember(stored: MemberFile | undefined): string {
  if (stored?.phase === 'joining') return 'this server has not finished joining: start it with --join KUBECONFIG again'
  return 'which etcd? Say --etcd-endpoints URL,… for one that runs, --cluster-init to begin one here, or --join KUBECONFIG to join the servers that there are'
}

/** They stand in etcd's data, where the other members look. */
function refuseOtherAddresses({ clientListen, peerListen }: MemberFile, { client, peer }: ListenFlags): void {
  const isAny = (asked: string) => asked.endsWith(':0')
  for (const [asked, kept] of [
    [client, clientListen],
    [peer, peerListen],
  ])
    if (asked !== undefined && !isAny(asked) && asked !== kept)
      throw new Error(
        `this server's etcd listens on ${kept}, not on ${asked}: to move it, remove the member ("flotilla cluster remove") and join again with an empty data directory`,
      )
}

/** Where the members answer. A server that cannot be asked again is no hindrance to what was begun. */
async function fetchCredentials(
  { options: { dataDir, log } }: Place,
  fetch: () => Promise<ControlPlaneCredentials>,
  stored: MemberFile | undefined,
): Promise<readonly string[]> {
  const credentials = await fetch().catch((error: unknown) => {
    if (stored === undefined || stored.endpoints.length === 0) throw error
    log.warn({ err: error }, 'the server to join does not answer: going on with what it said before')
    return undefined
  })
  if (credentials === undefined) return stored?.endpoints ?? []
  await adoptAuthority(dataDir, credentials)
  return credentials.endpoints
}

async function plannedMember(listen: ListenFlags): Promise<MemberFile> {
  const addresses = await chooseAddresses(listen)
  // Hosts may share a name, and a host that lost its disk comes back as another member.
  return { name: `${hostname()}-${randomBytes(3).toString('hex')}`, phase: 'initializing', ...addresses, endpoints: [] }
}

async function running(
  place: Place,
  member: MemberFile,
  certificates: EtcdCertificates,
  signal: AbortSignal,
): Promise<EtcdChild> {
  const { data, options, binary, pidFile } = place
  const start = (bootstrap: Bootstrap) => {
    const { files } = certificates
    const command = { member, dataFolder: data.path, files, bootstrap, quotaBytes: options.quotaBytes }
    return superviseEtcd({ binary, arguments: etcdArguments(command), pidFile, log: options.log })
  }
  const { client: tls } = certificates
  if (member.phase === 'joining') {
    const endpoints = member.endpoints.filter((url) => url !== member.clientUrl)
    return joinCluster({ member, endpoints, tls, data, start, log: options.log }, signal)
  }
  // What an interrupted beginning left holds nothing: no API server has ever been opened on it. Found with others, it may.
  if (member.phase === 'initializing' && options.become?.do === 'init') await data.wipe()
  const child = await start(beginning(member, options.become))
  await untilServes(child, member, tls, options.log, signal)
  return child
}

function beginning({ name, peerUrl }: MemberFile, become: Become | undefined): Bootstrap {
  if (become?.do === 'discover') return { state: 'discovery', url: become.url }
  return { state: 'new', peers: [{ name, url: peerUrl }] }
}

/** With several members this takes a majority of them: after a power cut each waits here for the others. */
async function untilServes(
  child: EtcdChild,
  { clientUrl }: MemberFile,
  tls: EtcdCertificates['client'],
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const cluster = etcdCluster([clientUrl], tls)
  try {
    for (let tellAtMs = performance.now() + SILENCE_TOLD_AFTER_MS; ; ) {
      const state = await cluster.state(clientUrl, PROBE_MS, signal).catch(() => undefined)
      if (state?.leader !== undefined) return
      signal.throwIfAborted()
      if (child.gaveUp !== undefined)
        throw new Error(
          `${child.gaveUp}: to join again, remove etcd-member.json and etcd/ from the data directory first`,
        )
      if (performance.now() > tellAtMs) {
        log.warn({ said: child.lastWords }, 'etcd has no leader yet: a majority of its members must run')
        tellAtMs += SILENCE_TOLD_AFTER_MS
      }
      await delay(PAUSE_MS, undefined, { signal })
    }
  } catch (error) {
    await child.stop()
    throw error
  } finally {
    cluster.close()
  }
}

function serving({ options }: Place, { child, member, certificates }: Started): OwnEtcd {
  const { dataDir, log } = options
  const { client: tls } = certificates
  const followers = new Set<(urls: readonly string[]) => void>()
  const urls = [member.clientUrl, ...member.endpoints.filter((url) => url !== member.clientUrl)]
  const watch = membersWatch({
    ownUrl: member.clientUrl,
    urls,
    tls,
    log,
    async onUrls(endpoints) {
      for (const use of followers) use(endpoints)
      await writeMemberFile(dataDir, { ...member, endpoints: [...endpoints] })
    },
  })
  const stop = new AbortController()
  const watching = watch.run(stop.signal)
  const { members, remove, defragment, disarm } = administration({ urls: () => watch.urls, tls })
  return {
    etcd: { endpoints: urls, tls, timeouts: TIMEOUTS, follow: (use) => void followers.add(use) },
    controlPlane: {
      check: { name: 'etcd', live: false, failing: () => watch.problem },
      credentials: async () => ({ ...(await readAuthority(dataDir)), endpoints: watch.urls }),
      members,
      remove,
      defragment,
      disarm,
    },
    async stop() {
      stop.abort()
      await watching
      await child.stop()
    },
  }
}
