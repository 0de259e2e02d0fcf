import { type Command, Option } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { withExamples } from '../client/session.ts'
import { etcdOptions } from '../etcd-flags.ts'

export function register(program: Command, io: Io = processIo): void {
  const command = program
    .command('restore')
    .summary('make a store of a backup')
    .description(
      'Fills a new data directory, or an etcd, from a backup, while no server runs on it. The file is checked to its last byte before anything is written. Clients list anew and go on; later resourceVersions exceed all earlier ones.',
    )
    .argument('<file>', 'made by flotilla backup')
    .addOption(
      new Option('--store <backend>', 'what to restore into').choices(['embedded', 'etcd']).default('embedded'),
    )
    .option('--data-dir <dir>', 'where the store is to be; with etcd: where the keys of the control plane belong')
    .option('--decrypt-with <keyfile>', 'what it was encrypted with (or FLOTILLA_BACKUP_PASSPHRASE)')
    .option('--cluster-init', 'with --store etcd: into a new etcd of its own in the data directory')
    .option('--advertise-host <host>', 'with --cluster-init: under which other servers will reach it')
    .option('--etcd-listen-client <host:port>', 'with --cluster-init: as of flotilla server')
    .option('--etcd-listen-peer <host:port>', 'with --cluster-init: as of flotilla server')
    .option('--force', 'replace what is there')
    .addOption(new Option('-o, --output <format>', 'how to say what was done').choices(['json']))
  for (const option of etcdOptions()) command.addOption(option)
  command.action(async (file, flags) => {
    const [{ runWork }, { restore }] = await Promise.all([import('../backup/work.ts'), import('../backup/restore.ts')])
    await runWork(io, (surroundings) => restore(file, flags, surroundings))
  })
  withExamples(command, [
    'flotilla restore fleet.backup --data-dir /var/lib/flotilla',
    'flotilla restore fleet.backup --data-dir /var/lib/flotilla --store etcd --etcd-endpoints http://127.0.0.1:2379',
    'flotilla restore fleet.backup --data-dir /var/lib/flotilla --store etcd --cluster-init --advertise-host 10.0.0.1',
    'flotilla restore fleet.backup --data-dir /srv/new --decrypt-with /etc/flotilla/backup.key',
  ])
}
