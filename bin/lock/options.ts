/** What `flotilla lock` and `flotilla elect` ask for alike. */
import { type Command, Option } from 'commander'
import { endpointsOption } from '../etcd-v2/endpoints.ts'

export function withLockOptions(command: Command): Command {
  return command
    .argument('<key>', 'its name in the etcd v2 key space, such as locks/backup')
    .argument('<command...>', 'after --: the command and its arguments')
    .option('--ttl <time>', 'how long the key outlives a holder that died', '30s')
    .option('--wait <time>', 'give up after so long (0: at once; default: never), exit code 75')
    .addOption(new Option('--timeout <time>', 'another word for --wait').hideHelp())
    .addOption(endpointsOption())
}
