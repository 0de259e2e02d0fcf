import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(
    program.command('cat').description('unit files and their drop-ins, as they are stored'),
  )
    .argument('<unit...>', 'NAME; ".service" may be left out')
    .action((units, options) =>
      runClient(io, options, async (session) => (await import('../client/cat.ts')).cat(session, units)),
    )
  withExamples(command, ['flotilla cat web.service', 'flotilla cat web.service web.socket'])
}
