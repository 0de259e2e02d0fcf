import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(program.command('delete').description('remove objects and wait until they are gone'))
    .argument('[what...]', 'KIND NAME…, or KIND/NAME…')
    .option('-f, --filename <path>', 'what a file, folder or - (standard input) names (may be repeated)', collect)
    .option('-R, --recursive', 'folders with the folders in them')
    .option('-l, --selector <labels>', 'objects of the kind with these labels')
    .option('--all', 'every object of the kind')
    .option('-n, --namespace <name>', 'namespace of kinds that have one')
    .option('--wait [bool]', 'wait until they are gone; --wait=false returns at once', 'true')
    .option('--timeout <duration>', 'how long to wait; 0 is for ever', '60s')
    .option('--ignore-not-found', 'what is not there is no error')
    .action((words, options) =>
      runClient(io, options, async (session) =>
        (await import('../client/deleting.ts')).deleteObjects(session, words, options),
      ),
    )
  withExamples(command, [
    'flotilla delete unit web.service',
    'flotilla delete unit/web.service unit/db.service --wait=false',
    'flotilla delete units -l app=web',
    'flotilla delete -f web.service.yaml',
  ])
}

function collect(path: string, before: readonly string[] = []): string[] {
  return [...before, path]
}
