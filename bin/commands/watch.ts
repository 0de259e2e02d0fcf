import type { Command } from 'commander'
import { selecting } from '../client/get-options.ts'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = selecting(withKubeconfig(program.command('watch').description('get -w: a line for each change')))
    .argument('<kind>', 'KIND or KIND/NAME')
    .argument('[name]', 'NAME of the kind')
    .action((kind, name, options) =>
      runClient(io, options, async (session) => {
        const { get } = await import('../client/get.ts')
        return get(session, name === undefined ? [kind] : [kind, name], { ...options, watch: true })
      }),
    )
  withExamples(command, [
    'flotilla watch units',
    'flotilla watch unit web.service',
    'flotilla watch events --output-watch-events',
  ])
}
