import type { Command } from 'commander'
import { dataDirOption } from '../defaults.ts'

export function register(program: Command): void {
  program
    .command('down')
    .summary('remove what a crashed up left behind')
    .description(
      'Removes processes, mounts, namespaces, cgroups and interfaces that a crashed `up` left behind. Data stays. Safe to call twice.',
    )
    .addOption(dataDirOption())
    .addHelpText('after', '\nExamples:\n  $ flotilla down\n  $ flotilla down --data-dir /tmp/f')
    .action(async ({ dataDir }: { dataDir: string }) => {
      const { down } = await import('../up/down.ts')
      await down(dataDir)
    })
}
