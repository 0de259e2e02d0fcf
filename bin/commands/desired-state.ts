/** fleet's four words, which all do the same thing: say what a unit shall be, and wait until it is. */
import type { Command } from 'commander'
import type { DesiredState } from '../client/desired-state.ts'
import { type Io, processIo } from '../client/io.ts'
import { runClient, withExamples, withKubeconfig } from '../client/session.ts'

interface Word {
  readonly word: string
  readonly state: DesiredState
  readonly description: string
}

const WORDS: readonly Word[] = [
  { word: 'start', state: 'launched', description: 'have units run (desiredState: launched)' },
  { word: 'stop', state: 'loaded', description: 'stop units and leave them on their machines (desiredState: loaded)' },
  { word: 'load', state: 'loaded', description: 'place units without starting them (desiredState: loaded)' },
  {
    word: 'unload',
    state: 'inactive',
    description: 'stop units and take them off their machines (desiredState: inactive)',
  },
]

export function register(program: Command, io: Io = processIo): void {
  for (const { word, state, description } of WORDS) {
    const command = withKubeconfig(program.command(word).description(description))
      .argument('<unit...>', 'NAME, or a set for all of its instances; ".service" may be left out')
      .option('--no-wait', 'say it and go')
      .option('--timeout <duration>', 'how long to wait for it', '60s')
      .action((units, options) =>
        runClient(io, options, async (session) =>
          (await import('../client/desired-state.ts')).desire(session, state, units, options),
        ),
      )
    withExamples(command, [`flotilla ${word} web.service`, `flotilla ${word} web.service worker@.service --timeout 2m`])
  }
}
