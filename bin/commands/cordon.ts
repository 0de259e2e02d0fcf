import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(program.command('cordon').description('give a machine nothing new; what it has stays'))
    .argument('<machine...>', 'NAMEs of machines')
    .action((machines, options) =>
      runClient(io, options, async (session) => {
        await (await import('../client/drain.ts')).cordon(session, machines)
        return 0
      }),
    )
  withExamples(command, ['flotilla cordon m1'])
}
