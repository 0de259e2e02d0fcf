import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('why').description('why a unit or machine is as it is, and what to do'),
  )
    .argument('<object>', 'unit/NAME, machine/NAME, or the bare name of a unit')
    .action((object, options) =>
      runClient(io, options, async (session) => (await import('../client/why.ts')).why(session, object)),
    )
  withExamples(command, ['flotilla why web.service', 'flotilla why machine/m1'])
}
