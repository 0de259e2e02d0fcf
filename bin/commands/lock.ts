import type { Command } from 'commander'
import { withExamples } from '../client/session.ts'
import { withLockOptions } from '../lock/options.ts'
import type { LockFlags } from '../lock/run-lock.ts'

export function register(program: Command): void {
  const command = program
    .command('lock')
    .summary('run a command while holding a distributed lock')
    .description(
      'Runs a command while a key of the etcd v2 API is ours, on one machine of all. Its exit code is ours; 74: the lock was lost and the command ended, 75: the lock was not obtained. The command gets FLOTILLA_LOCK_KEY and FLOTILLA_LOCK_INDEX, a number that grows with every holder.',
    )
  withLockOptions(command).action(async (key: string, words: string[], flags: LockFlags) => {
    const { runLock } = await import('../lock/run-lock.ts')
    await runLock({ key, command: words, again: false }, flags)
  })
  withExamples(command, [
    'flotilla lock locks/backup -- /usr/local/bin/backup',
    'flotilla lock locks/backup --wait 0 -- /usr/local/bin/backup      not if another does it now',
    'etcdctl get /locks/backup                                         who holds it',
  ])
}
