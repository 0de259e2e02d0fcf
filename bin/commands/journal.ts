import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('journal').description('logs of units, sets and machines, from wherever they are, as one by time'),
  )
    .argument('[what...]', 'units (".service" may be left out), sets, or machine/NAME for all of a machine')
    .option('-f, --follow', 'go on with new lines, also when the unit moves')
    .option('-n, --lines <count>', 'only the newest lines, or "all" (default: all, with -f 10)')
    .option('-l, --selector <labels>', 'units with these labels, for example app=web')
    .option('--since <when>', 'only what was logged since: 10m, 2h, or a date')
    .option('--after-cursor <cursor>', 'go on behind this line, as -o json names it')
    .option('-o, --output <format>', 'short, json or cat (the messages alone)', 'short')
    .action((words, options) =>
      runClient(io, options, async (session) =>
        (await import('../client/journal-command.ts')).journal(session, words, options),
      ),
    )
  withExamples(command, [
    'flotilla journal web.service -n 20',
    'flotilla journal -f web',
    'flotilla journal web@.service -f              all instances of the set, as they come',
    'flotilla journal web --since 10m -o cat | grep error',
    'flotilla journal machine/m1 -f',
  ])
}
