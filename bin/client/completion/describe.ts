/** The program's commands and options as data: what the completion scripts are made from. */
import type { Command } from 'commander'

export interface OptionDescription {
  readonly long: string
  readonly short: string | undefined
  readonly description: string
  readonly takesValue: boolean
  /** Its value is a file or folder. */
  readonly isPath: boolean
}
export interface CommandDescription {
  readonly name: string
  readonly description: string
  readonly options: readonly OptionDescription[]
  /** Words that its first argument may be, where they are fixed. */
  readonly choices: readonly string[]
}

/** Hidden commands and options stay hidden. */
export function describeProgram(program: Command): CommandDescription[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help')
    .map(describeCommand)
}

function describeCommand(command: Command): CommandDescription {
  const help = command.createHelp()
  return {
    name: command.name(),
    description: command.description(),
    options: help.visibleOptions(command).flatMap(({ long, short, description, required, flags }) => {
      if (!long) return []
      const isPath = /<(file|path|dir)>/.test(flags)
      return [{ long, short, description: description ?? '', takesValue: required, isPath }]
    }),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }
}
