import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('restart').description('restart units where they are, and wait until they are up'),
  )
    .argument('<unit...>', 'NAME; ".service" may be left out. Instances of a set go by its maxUnavailable')
    .action((units, options) =>
      runClient(io, options, async (session) => (await import('../client/restart.ts')).restart(session, units)),
    )
  withExamples(command, ['flotilla restart web.service', 'flotilla restart web@.service'])
}
