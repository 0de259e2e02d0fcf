/** The agent's etcd v2 listeners as parts of it: a taken address is no reason for a machine to be without an agent. */
import type { Logger } from 'pino'
import type { ApiReader } from '../../controllers/lib/client.ts'
import { aborted, sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { Runnable } from '../../controllers/lib/runnable.ts'
import { type Forward, type ForwardOptions, forwardEtcdV2 } from './forward.ts'
import { knownServers } from './known-servers.ts'
import { createServerList, type ServerAddress } from './server-list.ts'

export interface EtcdV2Settings {
  /** Where the machine's own clients find it; several where containers are to reach it too. */
  readonly listen: readonly { readonly host: string; readonly port: number }[]
  /** The server of the kubeconfig. */
  readonly server: ServerAddress
  readonly tls: ForwardOptions['tls']
}

export interface EtcdV2Options extends EtcdV2Settings {
  readonly client: Pick<ApiReader, 'get'>
  readonly dataDir: string
  readonly log: Logger
  /** How long until a taken address is tried again; 10 000 unless given. */
  readonly retryMs?: number
}

const RETRY_MS = 10_000

export function etcdV2Forwards(options: EtcdV2Options): Runnable[] {
  const { listen, server, tls, client, dataDir, log, retryMs = RETRY_MS } = options
  const servers = createServerList([server])
  const known = knownServers({ client, dataDir, configured: server, list: servers, log })
  return [known, ...listen.map((address) => listener({ ...address, servers, tls }, log, retryMs))]
}

function listener(options: ForwardOptions, log: Logger, retryMs: number): Runnable {
  const { host, port } = options
  return {
    name: `etcd v2 on ${host}:${port}`,
    start: async (signal) => {
      const forward = await openPatiently(options, { log, retryMs, signal })
      await aborted(signal)
      await forward?.close()
    },
  }
}

interface Patience {
  readonly log: Logger
  readonly retryMs: number
  readonly signal: AbortSignal
}

/** Another program may have the address for now, or the bridge may come up later. Undefined when `signal` fired first. */
async function openPatiently(
  options: ForwardOptions,
  { log, retryMs, signal }: Patience,
): Promise<Forward | undefined> {
  const { host, port } = options
  let said = ''
  while (!signal.aborted) {
    try {
      const forward = await forwardEtcdV2(options)
      log.info({ host, port: forward.port }, 'etcd v2 is served')
      return forward
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error)
      if (why !== said) log.warn({ host, port, err: error }, 'etcd v2 is not served: the address cannot be had')
      said = why
    }
    await sleep(systemClock, retryMs, signal)
  }
  return undefined
}
