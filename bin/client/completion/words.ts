/** What stands on a command line that is being completed: the arguments without options, and the options that matter. */
import type { KubeconfigChoice } from '../kubeconfig.ts'
import type { CommandDescription } from './describe.ts'

export interface TypedLine {
  readonly command: string
  /** Arguments before the one that is being typed. */
  readonly before: readonly string[]
  readonly current: string
  readonly choice: KubeconfigChoice
}

/** `words` begins with the subcommand and ends with the word under the cursor, which may be empty. */
export function readLine(words: readonly string[], commands: readonly CommandDescription[]): TypedLine {
  const [command = '', ...rest] = words
  const options = commands.find(({ name }) => name === command)?.options ?? []
  const valued = new Set(options.flatMap(({ takesValue, long, short }) => (takesValue ? [long, short ?? long] : [])))
  const choice: { kubeconfig?: string; dataDir?: string } = {}
  const before: string[] = []
  const typed = rest.slice(0, -1)
  for (let at = 0; at < typed.length; at++) {
    const word = typed[at] ?? ''
    const value = valued.has(word) ? (typed[++at] ?? '') : undefined
    if (word === '--kubeconfig' && value) choice.kubeconfig = value
    if (word === '--data-dir' && value) choice.dataDir = value
    if (value === undefined && !word.startsWith('-')) before.push(word)
  }
  return { command, before, current: rest.at(-1) ?? '', choice }
}
