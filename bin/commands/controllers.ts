import type { Command } from 'commander'
import { kubeconfigOption, logLevelOption } from '../defaults.ts'
import { type LeaseDurationFlag, leaseDurationOption } from '../lease-duration.ts'

export function register(program: Command): void {
  program
    .command('controllers')
    .summary('the controllers alone')
    .description('Runs the scheduler and the other controllers against an API server. Several may run; one leads.')
    .addOption(kubeconfigOption().makeOptionMandatory())
    .addOption(leaseDurationOption('for machines whose own lease was not seen yet (2s to 5m)'))
    .addOption(logLevelOption())
    .addHelpText('after', '\nExample:\n  $ flotilla controllers --kubeconfig /etc/flotilla/controllers.kubeconfig')
    .action(runAlone)
}

interface ControllersFlags extends LeaseDurationFlag {
  readonly kubeconfig: string
  readonly logLevel: string
}

async function runAlone({ kubeconfig, logLevel, leaseDuration }: ControllersFlags): Promise<void> {
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
  const [log, signal] = [createLog(logLevel, 'controllers'), stopSignal()]
  await runControllers({ client, identity, log, leaseDurationMs: leaseDuration, signal })
  await client.close()
}
