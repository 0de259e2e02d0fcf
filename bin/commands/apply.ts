import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = withKubeconfig(program.command('apply').description('make objects as manifests say'))
    .requiredOption('-f, --filename <path>', 'file, folder, or - for standard input (may be repeated)', collect)
    .option('-R, --recursive', 'folders with the folders in them')
    .option('-n, --namespace <name>', 'for objects that have one and do not name it')
    .option('--dry-run [mode]', 'let the server check everything and keep nothing')
    .action((options) =>
      runClient(io, options, async (session) => (await import('../client/apply.ts')).apply(session, options)),
    )
  withExamples(command, [
    'flotilla apply -f web.service.yaml',
    'flotilla apply -R -f units/ --dry-run',
    'flotilla get unit web.service -o yaml | flotilla apply -f -',
  ])
}

function collect(path: string, before: readonly string[] = []): string[] {
  return [...before, path]
}
