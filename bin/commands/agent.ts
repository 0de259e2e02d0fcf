import { type Command, Option } from 'commander'
import { dataDirOption, kubeconfigOption, logLevelOption } from '../defaults.ts'
import { type LeaseDurationFlag, leaseDurationOption } from '../lease-duration.ts'

interface AgentFlags extends LeaseDurationFlag {
  readonly kubeconfig: string
  readonly name?: string
  readonly dataDir: string
  readonly driver: 'auto' | 'system' | 'user' | 'process'
  readonly listen: string
  readonly etcdV2Listen: string
  readonly address?: string
  readonly logLevel: string
}

export function register(program: Command): void {
  program
    .command('agent')
    .summary('the agent of this machine')
    .description(
      'Makes this host a machine of the fleet: registers it, runs the units placed on it. Units keep running when it stops.',
    )
    .addOption(kubeconfigOption().makeOptionMandatory())
    .addOption(new Option('--name <name>', "the machine's name (default: the host name)").env('FLOTILLA_NAME'))
    .addOption(dataDirOption())
    .addOption(
      new Option('--driver <driver>', 'what runs units here')
        .env('FLOTILLA_DRIVER')
        .choices(['auto', 'system', 'user', 'process'])
        .default('auto'),
    )
    .addOption(
      new Option('--listen <host:port>', 'where logs and commands are served to the API server')
        .env('FLOTILLA_LISTEN')
        .default('0.0.0.0:10250'),
    )
    .addOption(
      new Option(
        '--etcd-v2-listen <host:port>',
        "etcd v2 for this machine's own programs, several with commas (the container bridge's address, say); empty: none",
      )
        .env('FLOTILLA_ETCD_V2_LISTEN')
        .default('127.0.0.1:4001'),
    )
    .addOption(
      new Option('--address <ip>', 'where others reach this machine (default: its first outside address)').env(
        'FLOTILLA_ADDRESS',
      ),
    )
    .addOption(leaseDurationOption('how long this machine may be silent before its units are moved (2s to 5m)'))
    .addOption(logLevelOption())
    .addHelpText('after', '\nExample:\n  $ flotilla agent --kubeconfig /etc/flotilla/kubeconfig')
    .action(async (flags: AgentFlags) => {
      const { agent } = await import('../agent.ts')
      await agent(flags)
    })
}

export type { AgentFlags }
