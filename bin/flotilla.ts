#!/usr/bin/env node
/** The one command. Each subcommand is a small file that loads what it needs only when it runs. */
import { Command } from 'commander'
import packageFile from '../package.json' with { type: 'json' }
import { register as agent } from './commands/agent.ts'
import { register as apply } from './commands/apply.ts'
import { register as backup } from './commands/backup.ts'
import { register as cat } from './commands/cat.ts'
import { register as cluster } from './commands/cluster.ts'
import { register as completion } from './commands/completion.ts'
import { register as controllers } from './commands/controllers.ts'
import { register as cordon } from './commands/cordon.ts'
import { register as remove } from './commands/delete.ts'
import { register as desiredState } from './commands/desired-state.ts'
import { register as discovery } from './commands/discovery.ts'
import { register as down } from './commands/down.ts'
import { register as drain } from './commands/drain.ts'
import { register as elect } from './commands/elect.ts'
import { register as exec } from './commands/exec.ts'
import { register as get } from './commands/get.ts'
import { register as journal } from './commands/journal.ts'
import { register as kill } from './commands/kill.ts'
import { register as lock } from './commands/lock.ts'
import { register as restart } from './commands/restart.ts'
import { register as restore } from './commands/restore.ts'
import { register as server } from './commands/server.ts'
import { register as status } from './commands/status.ts'
import { register as uncordon } from './commands/uncordon.ts'
import { register as up } from './commands/up.ts'
import { register as watch } from './commands/watch.ts'
import { register as why } from './commands/why.ts'
import { failWith } from './failure.ts'
import { startSmall } from './young-generation.ts'

const program = new Command('flotilla')
  .description('Runs a fleet of Linux machines like one: apply units, and real systemd on real machines runs them.')
  .version(packageFile.version)
  .enablePositionalOptions()
  .showHelpAfterError('(add --help for what there is)')
  .addHelpText(
    'after',
    `
Examples:
  $ flotilla up                                 three machines on this box, until Ctrl-C
  $ flotilla apply -f manifests/quickstart/     say what should run
  $ flotilla watch units                        see it become so
  $ flotilla why unit/web.service               ask why it is as it is

kubectl works just as well: export KUBECONFIG as the ready line says.`,
  )

for (const register of [
  up,
  down,
  server,
  controllers,
  agent,
  apply,
  get,
  remove,
  watch,
  status,
  journal,
  why,
  exec,
  cat,
  restart,
  kill,
  desiredState,
  drain,
  cordon,
  uncordon,
  lock,
  elect,
  discovery,
  backup,
  restore,
  cluster,
  completion,
])
  register(program)

const STAYING = ['up', 'server', 'controllers', 'agent']
program.hook('preAction', (_program, action) => {
  if (STAYING.includes(action.name())) startSmall()
})

program.parseAsync().catch(failWith)
