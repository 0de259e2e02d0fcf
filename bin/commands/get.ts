import type { Command } from 'commander'
import { selecting } from '../client/get-options.ts'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = selecting(
    withKubeconfig(program.command('get').description('show objects: units, machines, events, …')),
  )
    .argument('<kind>', 'KIND, KIND,KIND or KIND/NAME')
    .argument('[name...]', 'NAME… of the kind, or more KIND/NAME')
    .option('-w, --watch', 'go on with each change')
    .action((kind, names, options) =>
      runClient(io, options, async (session) =>
        (await import('../client/get.ts')).get(session, [kind, ...names], options),
      ),
    )
  withExamples(command, [
    'flotilla get units',
    'flotilla get units -o wide -l app=web',
    'flotilla get unit/web.service machine/m1 -o yaml',
    'flotilla get events -A --field-selector type=Warning',
    'flotilla get units -w',
  ])
}
