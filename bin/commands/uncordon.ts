import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('uncordon').description('let a machine have units again, and end its drain; nothing moves back'),
  )
    .argument('<machine...>', 'NAMEs of machines')
    .action((machines, options) =>
      runClient(io, options, async (session) => {
        await (await import('../client/drain.ts')).uncordon(session, machines)
        return 0
      }),
    )
  withExamples(command, ['flotilla uncordon m1'])
}
