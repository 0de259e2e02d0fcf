import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(program.command('kill').description("send a signal to units' processes"))
    .argument('<unit...>', 'NAME, or a set for all of its instances; ".service" may be left out')
    .option('-s, --signal <signal>', 'which signal, for example SIGUSR1 or HUP', 'SIGTERM')
    .option('--kill-who <who>', 'main, control or all processes', 'all')
    .action((units, options) =>
      runClient(io, options, async (session) => (await import('../client/kill.ts')).kill(session, units, options)),
    )
  withExamples(command, ['flotilla kill -s HUP --kill-who main web.service', 'flotilla kill -s KILL web@3.service'])
}
