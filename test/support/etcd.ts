/** Real etcd processes on loopback: one member or several, with TLS or without, to be killed, frozen and started again. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type RunningProcess, runProcess, startProcess } from './process.ts'
import { commandPath } from './requirements.ts'
import { tempDir } from './temp-dir.ts'
import { until } from './until.ts'

export interface EtcdFiles {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** Where a member runs, other than on loopback here. */
export interface EtcdPlace {
  readonly address: string
  /** What starts it there, such as `nsenter` and its options. It must leave its process id to etcd. */
  readonly before: readonly string[]
}

export interface EtcdStart {
  /** One for each member. */
  readonly places?: readonly EtcdPlace[]
  /** Clients must then show a certificate of the same authority. */
  readonly tls?: { readonly server: EtcdFiles; readonly client: EtcdFiles }
  readonly args?: readonly string[]
}

export interface EtcdMember extends AsyncDisposable {
  readonly url: string
  readonly place: EtcdPlace
  readonly process: RunningProcess
  /** SIGKILL. */
  crash(): Promise<void>
  /** Starts it on what it had; resolves once it serves. */
  restart(): Promise<void>
  /** SIGSTOP and SIGCONT: there, but silent. */
  freeze(): void
  thaw(): void
  /** What `etcdctl` prints on its standard output; rejects with what it prints otherwise when it fails. */
  ctl(...args: string[]): Promise<string>
}

const START_TIMEOUT_MS = 20_000

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = servers.map(
    (server) =>
      new Promise<number>((resolve) =>
        server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
      ),
  )
  const found = await Promise.all(ports)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return found
}

function clientArgs(files: EtcdFiles | undefined): string[] {
  if (files === undefined) return []
  return ['--cacert', files.ca, '--cert', files.certificate, '--key', files.key]
}

function serverArgs(files: EtcdFiles | undefined): string[] {
  if (files === undefined) return []
  const { ca, certificate, key } = files
  return ['--client-cert-auth', '--trusted-ca-file', ca, '--cert-file', certificate, '--key-file', key]
}

interface MemberPlan extends Omit<EtcdStart, 'places'> {
  readonly name: string
  readonly place: EtcdPlace
  readonly clientPort: number
  readonly peerPort: number
  readonly cluster: string
}

const LOOPBACK: EtcdPlace = { address: '127.0.0.1', before: [] }

async function startMember(plan: MemberPlan): Promise<EtcdMember> {
  const { name, place, clientPort, peerPort, cluster, tls, args = [] } = plan
  const url = `${tls ? 'https' : 'http'}://${place.address}:${clientPort}`
  const peerUrl = `http://${place.address}:${peerPort}`
  const argv = [
    ...place.before,
    ...[commandPath('etcd') ?? 'etcd', '--name', name, '--data-dir', join(tempDir(), name), '--log-level', 'error'],
    ...['--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peerUrl],
    ...['--initial-advertise-peer-urls', peerUrl, '--initial-cluster', cluster],
    ...serverArgs(tls?.server),
    ...args,
  ]
  let running = await startProcess(argv)
  const signal = (name: NodeJS.Signals) => void process.kill(running.pid, name)
  async function ctl(...command: string[]): Promise<string> {
    const words = [commandPath('etcdctl') ?? 'etcdctl', '--endpoints', url, ...clientArgs(tls?.client), ...command]
    const { code, stdout, stderr } = await runProcess(words, { env: { ETCDCTL_API: '3' } })
    if (code !== 0) throw new Error(`etcdctl ${command.join(' ')}: ${stderr}`)
    return stdout
  }
  const healthy = async () => {
    await ctl('endpoint', 'health', '--command-timeout', '1s')
    return true
  }
  return {
    url,
    place,
    get process() {
      return running
    },
    async crash() {
      await running.crash()
    },
    async restart() {
      running = await startProcess(argv)
      await until(healthy, { timeoutMs: START_TIMEOUT_MS, what: `etcd ${name} healthy again` })
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    ctl,
    async [Symbol.asyncDispose]() {
      await running.crash()
    },
  }
}

/** A cluster of `size` members that serve. Kill what is left of it with `stopAll`, or let the process's exit do it. */
export async function startEtcdCluster(size: number, options: EtcdStart = {}): Promise<EtcdMember[]> {
  const ports = await freePorts(size * 2)
  const plans = Array.from({ length: size }, (_, i) => ({
    name: `m${i}`,
    place: options.places?.[i] ?? LOOPBACK,
    clientPort: ports[2 * i] ?? 0,
    peerPort: ports[2 * i + 1] ?? 0,
  }))
  const cluster = plans.map(({ name, place, peerPort }) => `${name}=http://${place.address}:${peerPort}`).join(',')
  const members = await Promise.all(plans.map((plan) => startMember({ ...plan, ...options, cluster })))
  const healthy = () =>
    Promise.all(members.map((member) => member.ctl('endpoint', 'health', '--command-timeout', '1s')))
  await until(healthy, { timeoutMs: START_TIMEOUT_MS, what: 'etcd healthy' })
  return members
}

/** One member that serves. */
export async function startEtcd(options: EtcdStart = {}): Promise<EtcdMember> {
  const [member] = await startEtcdCluster(1, options)
  if (member === undefined) throw new Error('no member')
  return member
}
