import type { Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { runClient, type Session, withExamples, withKubeconfig } from '../client/session.ts'

type Verbs = typeof import('../client/cluster.ts')

export function register(program: Command, io: Io = processIo): void {
  const cluster = program.command('cluster').description('the etcd that the servers run: its members and their care')
  const add = (usage: string, description: string) => withKubeconfig(cluster.command(usage).description(description))
  const run = (options: object, work: (verbs: Verbs, session: Session) => Promise<number>) =>
    runClient(io, options, async (session) => work(await import('../client/cluster.ts'), session))

  add('members', 'who they are and how each does')
    .option('-o, --output <format>', 'json')
    .action((options) => run(options, (verbs, session) => verbs.members(session, options)))
  add('status', 'whether it takes writes, bears a loss and has space; exit code 1 where not')
    .option('-o, --output <format>', 'json')
    .action((options) => run(options, (verbs, session) => verbs.clusterStatus(session, options)))
  add('remove', 'take a member out, unless the others could not write without it')
    .argument('<member>', 'NAME or id')
    .action((member, options) => run(options, (verbs, session) => verbs.remove(session, member)))
  add('defrag', 'give space that was freed back to the disk, one member at a time').action((options) =>
    run(options, (verbs, session) => verbs.defrag(session)),
  )
  add('disarm', 'take writes again after etcd ran out of space').action((options) =>
    run(options, (verbs, session) => verbs.disarm(session)),
  )
  withExamples(cluster, ['flotilla cluster members', 'flotilla cluster status', 'flotilla cluster remove m3-1f2e3d'])
}
