import { Argument, type Command } from 'commander'
import { type Io, processIo } from '../client/io.ts'
import { withExamples } from '../client/session.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export function register(program: Command, io: Io = processIo): void {
  const command = program
    .command('completion')
    .description('a script that lets your shell complete commands, kinds and names')
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
    .action(async (shell: (typeof SHELLS)[number]) => {
      io.stdout.write(await scriptFor(shell, program))
    })
  withExamples(command, [
    'source <(flotilla completion bash)',
    'flotilla completion zsh > "$fpath[1]/_flotilla"',
    'flotilla completion fish > ~/.config/fish/completions/flotilla.fish',
  ])
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: string[]) => (await import('../client/completion/complete.ts')).complete(program, io, words))
}

async function scriptFor(shell: (typeof SHELLS)[number], program: Command): Promise<string> {
  const { describeProgram } = await import('../client/completion/describe.ts')
  const commands = describeProgram(program)
  switch (shell) {
    case 'bash':
      return (await import('../client/completion/bash.ts')).bashScript(program.name(), commands)
    case 'zsh':
      return (await import('../client/completion/zsh.ts')).zshScript(program.name(), commands)
    case 'fish':
      return (await import('../client/completion/fish.ts')).fishScript(program.name(), commands)
  }
}
