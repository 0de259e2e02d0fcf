import type { Command } from 'commander'

/** What `get` and `watch` have in common. */
export function selecting(command: Command): Command {
  return command
    .option('-o, --output <format>', 'wide, yaml, json or name')
    .option('-l, --selector <labels>', 'only objects with these labels, for example app=web,tier!=test')
    .option('--field-selector <fields>', 'only objects with these fields, for example spec.machineName=m1')
    .option('-n, --namespace <name>', 'namespace of kinds that have one')
    .option('-A, --all-namespaces', 'all namespaces')
    .option('--no-headers', 'rows without the line above them')
    .option('--output-watch-events', 'with -w: ADDED, MODIFIED or DELETED before each row')
}
