import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('journal').description("a unit's log, from whichever machine holds it"),
  )
    .argument('<unit>', 'NAME; ".service" may be left out')
    .option('-f, --follow', 'go on with new lines, also when the unit moves')
    .option('-n, --lines <count>', 'only the newest lines, or "all" (default: all, with -f 10)')
    .option('--since <when>', 'only what was logged since: 10m, 2h, or a date')
    .option('-o, --output <format>', 'short, json or cat (the messages alone)', 'short')
    .action((unit, options) =>
      runClient(io, options, async (session) =>
        (await import('../client/journal-command.ts')).journal(session, unit, options),
      ),
    )
  withExamples(command, [
    'flotilla journal web.service -n 20',
    'flotilla journal -f web',
    'flotilla journal web --since 10m -o cat | grep error',
  ])
}
