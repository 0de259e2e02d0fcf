import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('exec').description('run a command on a machine; its exit code is ours'),
  )
    .argument('<where>', 'MACHINE, or unit/NAME for the machine that holds it')
    .argument('[command...]', 'after --: the command and its arguments')
    .option('-i, --stdin', 'give it our standard input')
    .option('-t, --tty', 'give it a terminal')
    .action((where, words, options) =>
      runClient(io, options, async (session) =>
        (await import('../client/exec.ts')).exec(session, where, words, options),
      ),
    )
  withExamples(command, [
    'flotilla exec m1 -- systemctl list-units --failed',
    'flotilla exec unit/web.service -- ss -ltn',
    'flotilla exec -it m1 -- bash',
    'tar c site | flotilla exec -i m1 -- tar x -C /srv',
  ])
}
