import type { Command } from 'commander'
import { kubeconfigOption, logLevelOption } from '../defaults.ts'

export function register(program: Command): void {
  program
    .command('controllers')
    .summary('the controllers alone')
    .description('Runs the scheduler and the other controllers against an API server. Several may run; one leads.')
    .addOption(kubeconfigOption().makeOptionMandatory())
    .addOption(logLevelOption())
    .addHelpText('after', '\nExample:\n  $ flotilla controllers --kubeconfig /etc/flotilla/controllers.kubeconfig')
    .action(runAlone)
}

async function runAlone({ kubeconfig, logLevel }: { kubeconfig: string; logLevel: string }): Promise<void> {
  const [{ hostname }, { connect }, { CONTROLLER_CONNECTIONS, runControllers }, { createLog }, { stopSignal }] =
    await Promise.all([
      import('node:os'),
      import('../../controllers/lib/client.ts'),
      import('../../controllers/main.ts'),
      import('../log.ts'),
      import('../stop-signal.ts'),
    ])
  const connection = { userAgent: 'flotilla-controllers', maxConnections: CONTROLLER_CONNECTIONS }
  const client = connect({ kubeconfigPath: kubeconfig, ...connection })
  const identity = `${hostname()}-${process.pid}`
  await runControllers({ client, identity, log: createLog(logLevel, 'controllers'), signal: stopSignal() })
  await client.close()
}
