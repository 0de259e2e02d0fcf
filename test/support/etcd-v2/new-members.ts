/** Real etcd processes that are told nothing but a discovery URL. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type RunningProcess, startProcess } from '../process.ts'
import { commandPath } from '../requirements.ts'
import { tempDir } from '../temp-dir.ts'

/** All are held until the last is known, so that none comes twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

export interface NewMember {
  readonly clientUrl: string
  readonly process: RunningProcess
  stop(): Promise<unknown>
}

export async function startMembers(names: readonly string[], url: string): Promise<NewMember[]> {
  const ports = await freePorts(names.length * 2)
  const pair = (at: number): [number, number] => [ports[2 * at] ?? 0, ports[2 * at + 1] ?? 0]
  return Promise.all(names.map((name, at) => startMember(name, url, pair(at))))
}

/** A new member that knows nothing but the URL; port 0 would not do, since others must know the peer's port. */
async function startMember(name: string, url: string, [client, peer]: readonly [number, number]): Promise<NewMember> {
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  const running = await startProcess([
    ...[commandPath('etcd') ?? 'etcd', '--name', name, '--data-dir', join(tempDir(), name), '--discovery', url],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl, '--log-level', 'error'],
    ...[
      '--listen-peer-urls',
      peerUrl,
      '--initial-advertise-peer-urls',
      peerUrl,
      '--enable-v2',
      '--discovery-fallback',
      'exit',
    ],
  ])
  return { clientUrl, process: running, stop: () => running.stop('SIGKILL') }
}
