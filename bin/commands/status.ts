import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(program.command('status').description('the fleet at a glance, or one unit'))
    .argument('[unit]', 'NAME; ".service" may be left out')
    .option('-n, --lines <count>', 'how many lines of its log', '10')
    .option('-o, --output <format>', 'json')
    .action((unit, options) =>
      runClient(io, options, async (session) => (await import('../client/status.ts')).status(session, unit, options)),
    )
  withExamples(command, ['flotilla status', 'flotilla status web.service', 'flotilla status -o json'])
}
