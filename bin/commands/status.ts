import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('status').description('the fleet at a glance, or units as systemctl shows them'),
  )
    .argument('[unit...]', 'NAME; ".service" may be left out')
    .option('-n, --lines <count>', 'how many lines of its log', '10')
    .option('--all', 'every instance of a set, not the first 20')
    .option('-o, --output <format>', 'json')
    .action((units, options) =>
      runClient(io, options, async (session) => (await import('../client/status.ts')).status(session, units, options)),
    )
  withExamples(command, [
    'flotilla status',
    'flotilla status web.service',
    'flotilla status web@.service --all',
    'flotilla status -o json',
  ])
}
