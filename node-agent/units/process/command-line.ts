/** ExecStart= and its kin: prefixes, quoting, several commands in one line, and variables at the time of execution. */
import type { Expand } from './specifiers.ts'
import { splitWords, type Word } from './words.ts'

/** Prefixes that change what the command may do; without systemd there is nobody to grant it. */
const PRIVILEGE_PREFIXES = '+!'

export interface Command {
  /** Absolute, or a plain name that is looked up in systemd's fixed search path. */
  readonly path: string
  /** What the program sees as its own name (`@`); its path otherwise. */
  readonly argv0: string
  /** Specifiers are replaced, variables are not. */
  readonly args: readonly string[]
  /** `-`: a failure counts as success. */
  readonly ignoreFailure: boolean
  /** `:` switches variables off. */
  readonly expandsVariables: boolean
}

/** Throws with the reason when the line is not one that can be run. */
export function parseCommands(value: string, expand: Expand): Command[] {
  const commands: Command[] = []
  let words: Word[] = []
  for (const word of [...splitWords(value), { text: ';', raw: ';' }]) {
    if (word.raw === ';') {
      if (words.length > 0) commands.push(parseCommand(words, expand))
      words = []
    } else words.push(word.raw === '\\;' ? { text: ';', raw: word.raw } : word)
  }
  return commands
}

function parseCommand([first, ...rest]: readonly Word[], expand: Expand): Command {
  const { prefixes, path: written } = splitPrefixes(first?.text ?? '')
  const path = expand(written)
  if (path === '') throw new Error('no executable is named')
  if (!path.startsWith('/') && path.includes('/'))
    throw new Error(`executable '${path}' must be absolute or a plain name`)
  const args = rest.map(({ text }) => expand(text))
  const hasName = prefixes.includes('@')
  return {
    path,
    argv0: hasName ? (args[0] ?? path) : path,
    args: hasName ? args.slice(1) : args,
    ignoreFailure: prefixes.includes('-'),
    expandsVariables: !prefixes.includes(':'),
  }
}

function splitPrefixes(word: string): { readonly prefixes: string; readonly path: string } {
  const prefixes = /^[-@:+!]*/.exec(word)?.[0] ?? ''
  const refused = [...prefixes].find((prefix) => PRIVILEGE_PREFIXES.includes(prefix))
  if (refused) throw new Error(`the prefix '${refused}' before '${word.slice(prefixes.length)}' needs systemd`)
  return { prefixes, path: word.slice(prefixes.length) }
}

/** `$NAME` as a word of its own becomes as many words as its value has; `${NAME}` is replaced in place; `$$` is `$`. */
export function expandVariables(args: readonly string[], environment: ReadonlyMap<string, string>): string[] {
  return args.flatMap((arg) => {
    const name = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(arg)?.[1]
    if (name !== undefined) return splitWords(environment.get(name) ?? '').map(({ text }) => text)
    return arg.replace(/\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, braced: string | undefined) =>
      whole === '$$' ? '$' : (environment.get(braced ?? '') ?? ''),
    )
  })
}
