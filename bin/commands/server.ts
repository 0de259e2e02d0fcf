import { type Command, Option } from 'commander'
import { type AuditFlags, auditOf, auditOptions } from '../audit-flags.ts'
import {
  dataDirOption,
  fleetListen,
  type ListenFlags,
  legacyListen,
  listenOptions,
  logLevelOption,
} from '../defaults.ts'
import { type EtcdFlags, etcdOf, etcdOptions } from '../etcd-flags.ts'
import { etcdV2Settings } from '../legacy-flags.ts'
import { addOwnEtcdOptions, advertiseOf, type OwnEtcdFlags, ownEtcdOf } from '../own-etcd-flags.ts'

interface ServerFlags extends ListenFlags, EtcdFlags, OwnEtcdFlags, AuditFlags {
  readonly dataDir: string
  readonly logLevel: string
  readonly store: 'embedded' | 'etcd' | 'memory'
}

export function register(program: Command): void {
  const command = program
    .command('server')
    .summary('the API server alone')
    .description('Runs the API server. Prints `ready: kubeconfig <path>` and writes the same files as `up`.')
    .addOption(dataDirOption())
    .addOption(
      new Option('--store <backend>', 'where objects are kept; memory forgets them')
        .env('FLOTILLA_STORE')
        .choices(['embedded', 'etcd', 'memory'])
        .default('embedded'),
    )
    .addOption(logLevelOption())
  for (const option of [...etcdOptions(), ...listenOptions(), ...auditOptions()]) command.addOption(option)
  addOwnEtcdOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ flotilla server --listen 0.0.0.0:6443\n  $ flotilla server --data-dir /tmp/f --listen 127.0.0.1:0\n  $ flotilla server --store etcd --etcd-endpoints http://127.0.0.1:2379\n  $ flotilla server --store etcd --cluster-init --listen 10.0.0.1:6443\n  $ flotilla server --store etcd --join admin.kubeconfig --listen 10.0.0.2:6443',
    )
    .action(runServer)
}

async function runServer(flags: ServerFlags): Promise<void> {
  const [{ startApiServer }, { createLog }, { stopSignal, stopped }] = await Promise.all([
    import('../../api-server/main.ts'),
    import('../log.ts'),
    import('../stop-signal.ts'),
  ])
  const signal = stopSignal()
  const log = createLog(flags.logLevel, 'server')
  const etcdV2 = await etcdV2Settings(flags)
  const own = await ownEtcdOf(flags, log, signal)
  try {
    const etcd = own ? own.etcd : await etcdOf(flags)
    const advertise = await advertiseOf(flags)
    const server = await startApiServer({
      ...flags,
      legacyListen: legacyListen(flags),
      fleetListen: fleetListen(flags),
      etcdV2,
      ...auditOf(flags),
      ...(etcd && { etcd }),
      ...(own && { controlPlane: own.controlPlane }),
      ...(advertise !== undefined && { advertise }),
      log,
    })
    for (const sentence of server.notices) console.log(sentence)
    console.log(`ready: kubeconfig ${server.kubeconfigPath}`)
    const failure = await Promise.race([stopped(signal), server.failed])
    await server.close()
    if (failure) throw failure
  } finally {
    await own?.stop()
  }
}
