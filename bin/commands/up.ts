import { type Command, InvalidArgumentError } from 'commander'
import { type AuditFlags, auditOptions } from '../audit-flags.ts'
import { dataDirOption, type ListenFlags, listenOptions, logLevelOption } from '../defaults.ts'
import { type LeaseDurationFlag, leaseDurationOption } from '../lease-duration.ts'

export interface UpFlags extends ListenFlags, AuditFlags, LeaseDurationFlag {
  readonly machines?: number
  readonly here?: boolean
  readonly dataDir: string
  readonly logLevel: string
}

export function register(program: Command): void {
  const command = program
    .command('up')
    .summary('API server, controllers and machines on this one box, until Ctrl-C')
    .description(
      'Brings up a whole fleet on this box: the API server on its embedded store, the controllers, and isolated machines, each with a real systemd. Prints `ready: kubeconfig <path>` when it may be used.',
    )
    .option('--machines <n>', 'how many isolated machines (default 3 as root with systemd installed)', parseCount)
    .option('--here', 'make this host itself a machine too')
    .addOption(dataDirOption())
    .addOption(leaseDurationOption('how long a machine may be silent before its units are moved (2s to 5m)'))
    .addOption(logLevelOption())
  for (const option of [...listenOptions(), ...auditOptions()]) command.addOption(option)
  command
    .addHelpText(
      'after',
      `
Examples:
  $ flotilla up                                   three machines
  $ flotilla up --machines 5                      five
  $ flotilla up --here                            units run on this host as well
  $ flotilla up --machines 0 --listen 127.0.0.1:0 --data-dir /tmp/f    the control plane alone, beside another`,
    )
    .action(async (flags: UpFlags) => {
      const { up } = await import('../up/up.ts')
      await up(flags)
    })
}

function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 0 || count > 50)
    throw new InvalidArgumentError('a whole number from 0 to 50.')
  return count
}
