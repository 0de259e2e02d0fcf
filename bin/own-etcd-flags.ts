/** The flags of a server that runs an etcd of its own. */
import { type Command, Option } from 'commander'
import type { Logger } from 'pino'
import type { Become, OwnEtcd } from '../api-server/own-etcd/index.ts'
import type { EtcdFlags } from './etcd-flags.ts'

export interface OwnEtcdFlags {
  readonly clusterInit?: true
  readonly join?: string
  readonly discovery?: string
  readonly advertiseHost?: string
  readonly etcdBinary?: string
  readonly etcdListenClient?: string
  readonly etcdListenPeer?: string
  readonly etcdQuotaBytes?: string
}

export interface WithEtcd extends OwnEtcdFlags, EtcdFlags {
  readonly dataDir: string
  readonly listen: string
  readonly store: string
}

export function addOwnEtcdOptions(command: Command): Command {
  const options = [
    new Option('--cluster-init', 'with --store etcd: start an etcd here and begin a cluster with it'),
    new Option('--join <kubeconfig>', "with --store etcd: start an etcd here and join that administrator's cluster"),
    new Option(
      '--discovery <url>',
      'like --cluster-init for several servers at once: "flotilla discovery new" makes one',
    ),
    new Option('--advertise-host <host>', 'under which other servers reach this one (default: where it listens)').env(
      'FLOTILLA_ADVERTISE_HOST',
    ),
    new Option('--etcd-listen-client <host:port>', 'where its etcd serves servers (port 0: any; default port 2379)'),
    new Option('--etcd-listen-peer <host:port>', 'where its etcd serves other members (default port 2380)'),
    new Option('--etcd-quota-bytes <n>', 'when its etcd is full (default: 2147483648)').env(
      'FLOTILLA_ETCD_QUOTA_BYTES',
    ),
    new Option('--etcd-binary <file>', 'the etcd to start (default: the one in $PATH)').env('FLOTILLA_ETCD_BINARY'),
  ]
  for (const option of options) command.addOption(option)
  return command
}

/** Undefined where another store, or somebody else's etcd, was asked for. Throws a sentence where flags do not fit. */
export async function ownEtcdOf(flags: WithEtcd, log: Logger, signal: AbortSignal): Promise<OwnEtcd | undefined> {
  if (flags.store !== 'etcd' || flags.etcdEndpoints !== undefined) {
    refuse(flags)
    return undefined
  }
  const [{ startOwnEtcd }, advertise] = await Promise.all([
    import('../api-server/own-etcd/index.ts'),
    advertiseOf(flags),
  ])
  const options = {
    dataDir: flags.dataDir,
    become: becomeOf(flags),
    listen: { client: flags.etcdListenClient, peer: flags.etcdListenPeer, advertise: advertise ?? '127.0.0.1' },
    binary: flags.etcdBinary,
    quotaBytes: quotaOf(flags.etcdQuotaBytes),
    log: log.child({ name: 'etcd' }),
  }
  return startOwnEtcd(options, signal)
}

/** Under which host other servers and agents reach this one; undefined where its store is nobody else's. */
export async function advertiseOf({ store, advertiseHost, listen }: WithEtcd): Promise<string | undefined> {
  if (store !== 'etcd') return undefined
  const { advertisedHost } = await import('../api-server/own-etcd/addresses.ts')
  const { parseListen } = await import('../api-server/listen-address.ts')
  return advertiseHost ?? advertisedHost(parseListen(listen).host)
}

const BECOMING = { clusterInit: '--cluster-init', join: '--join', discovery: '--discovery' } as const

function given(flags: OwnEtcdFlags): (keyof typeof BECOMING)[] {
  return (Object.keys(BECOMING) as (keyof typeof BECOMING)[]).filter((name) => flags[name] !== undefined)
}

function refuse(flags: WithEtcd): void {
  const [first] = given(flags)
  if (first === undefined) return
  throw new Error(
    flags.store === 'etcd'
      ? `${BECOMING[first]} starts an etcd, --etcd-endpoints names one that runs: say one of them`
      : `${BECOMING[first]} goes with --store etcd`,
  )
}

function becomeOf(flags: WithEtcd): Become | undefined {
  const [first, second] = given(flags)
  if (first !== undefined && second !== undefined)
    throw new Error(`${BECOMING[first]} and ${BECOMING[second]} exclude each other`)
  const { join, discovery } = flags
  if (join !== undefined) return { do: 'join', fetch: () => fetchFrom(join) }
  if (discovery !== undefined) return { do: 'discover', url: discovery }
  return flags.clusterInit ? { do: 'init' } : undefined
}

async function fetchFrom(kubeconfig: string) {
  const { fetchCredentials } = await import('./client/control-plane.ts')
  return fetchCredentials(kubeconfig)
}

function quotaOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const bytes = Number(text)
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new Error(`--etcd-quota-bytes ${text} is no number of bytes: give 8589934592 for 8 GiB`)
}
