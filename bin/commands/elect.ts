import type { Command } from 'commander'
import { withExamples } from '../client/session.ts'
import { withLockOptions } from '../lock/options.ts'
import type { LockFlags } from '../lock/run-lock.ts'

interface ElectFlags extends LockFlags {
  readonly value?: string
  readonly once?: boolean
}

export function register(program: Command): void {
  const command = program
    .command('elect')
    .summary('run a command while being the elected leader')
    .description(
      'Runs a command on one candidate of all, the leader, whose value stands in a key of the etcd v2 API. A leader that cannot renew its key has its command ended before another leads, and is a candidate again. Ends with the command, whose exit code is ours.',
    )
  withLockOptions(command)
    .option('--value <text>', 'what the key says of the leader, such as its address (default: host, pid, random)')
    .option('--once', 'end with exit code 74 when leadership is lost')
    .action(async (key: string, words: string[], { value, once = false, ...flags }: ElectFlags) => {
      const { runLock } = await import('../lock/run-lock.ts')
      await runLock({ key, command: words, again: !once, ...(value !== undefined && { value }) }, flags)
    })
  withExamples(command, [
    'flotilla elect services/scheduler/leader --value 10.0.0.5:8080 -- /usr/bin/scheduler',
    'etcdctl watch /services/scheduler/leader      who leads',
  ])
}
