import { type Command, Option } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { withExamples } from '../client/session.ts'
import { etcdOptions } from '../etcd-flags.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = program
    .command('backup')
    .summary('everything into one file')
    .description(
      'Writes everything there is, as of one moment, into one checksummed file: objects, and the keys of the etcd v2 API with their indexes. From a running server, which goes on meanwhile; from the data directory of a stopped one; or from an etcd.',
    )
    .argument('<file>', 'appears under its name when it is whole')
    .option('--kubeconfig <file>', 'the running server (default: $KUBECONFIG, else the one in the data directory)')
    .option('--data-dir <dir>', "a server's data directory: the server, or where it is stopped its files")
    .addOption(
      new Option('--store <backend>', 'of a stopped server whose data directory holds both').choices([
        'embedded',
        'etcd',
      ]),
    )
    .option('--encrypt-with <keyfile>', 'lock it with this file (or a passphrase in FLOTILLA_BACKUP_PASSPHRASE)')
    .option('--with-pki', "add the control plane's keys and certificates, to rebuild it on another machine")
    .addOption(new Option('-o, --output <format>', 'how to say what was done').choices(['json']))
  for (const option of etcdOptions()) command.addOption(option)
  command.action(async (file, flags) => {
    const [{ runWork }, { backup }] = await Promise.all([import('../backup/work.ts'), import('../backup/backup.ts')])
    await runWork(io, (surroundings) => backup(file, flags, surroundings))
  })
  withExamples(command, [
    'flotilla backup fleet.backup',
    'flotilla backup fleet.backup --data-dir /var/lib/flotilla --with-pki --encrypt-with /etc/flotilla/backup.key',
    'flotilla backup fleet.backup --etcd-endpoints http://127.0.0.1:2379     without any server',
  ])
}
