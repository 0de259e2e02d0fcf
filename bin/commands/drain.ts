import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('drain').description('move the units off a machine, in order and within their budgets'),
  )
    .argument('<machine>', 'NAME of the machine')
    .option('--timeout <duration>', 'how long to wait until it is drained; 0 is for ever', '0')
    .option('--parallel <count>', 'how many units may be on their way at once; 4 unless given')
    .option('-o, --output <format>', 'json')
    .action((machine, options) =>
      runClient(io, options, async (session) => (await import('../client/drain.ts')).drain(session, machine, options)),
    )
  withExamples(command, [
    'flotilla drain m1',
    'flotilla drain m1 --parallel 1 --timeout 5m',
    'flotilla uncordon m1          when it may have units again',
  ])
}
