/** kubectl as the tests of one product use it: its output when it succeeded, an error with its words when it did not. */
import type { Test } from 'uvu'
import type { Kubectl, KubectlResult, KubectlRunOptions } from './kubectl.ts'
import type { RunningProcess } from './process.ts'

export interface BoundKubectl {
  readonly version: Kubectl['version']
  /** What it printed; rejects, with what it said, when its exit code is not 0. */
  (...args: readonly string[]): Promise<string>
  /** The same with something on its standard input. */
  given(input: string, ...args: readonly string[]): Promise<string>
  /** The same with an editor that applies this sed script to what it is given. */
  edited(script: string, ...args: readonly string[]): Promise<string>
  /** However it ends: for commands that are to fail. */
  ends(...args: readonly string[]): Promise<KubectlResult>
  start(...args: readonly string[]): Promise<RunningProcess>
  /** Rows of the table that `get` prints, each by the (lower-case) names of its columns. */
  rows(...args: readonly string[]): Promise<readonly Readonly<Record<string, string>>[]>
}

type Given = Pick<KubectlRunOptions, 'input' | 'editor'>

/** `kubeconfig` is asked for with each command, because the product starts after the tests are declared. */
export function bindKubectl(kubectl: Kubectl, kubeconfig: () => string): BoundKubectl {
  const ends = (args: readonly string[], options: Given = {}) =>
    kubectl.run(args, { kubeconfig: kubeconfig(), ...options })
  async function succeeds(args: readonly string[], options?: Given): Promise<string> {
    const { code, stdout, stderr } = await ends(args, options)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${code}: ${stderr}${stdout}`)
    return stdout.trim()
  }
  return Object.assign((...args: readonly string[]) => succeeds(args), {
    version: kubectl.version,
    given: (input: string, ...args: readonly string[]) => succeeds(args, { input }),
    edited: (script: string, ...args: readonly string[]) => succeeds(args, { editor: `sed -i '${script}'` }),
    ends: (...args: readonly string[]) => ends(args),
    start: (...args: readonly string[]) => kubectl.start(args, { kubeconfig: kubeconfig() }),
    rows: async (...args: readonly string[]) => rowsOf(await succeeds(args)),
  })
}

/** Cells are cut where the header's columns begin: a cell may be empty, and may hold blanks. */
export function rowsOf(table: string): Record<string, string>[] {
  const [header = '', ...lines] = table.split('\n')
  const columns = [...header.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ name: match[0], from: match.index }))
  return lines.map((line) =>
    Object.fromEntries(
      columns.map(({ name, from }, i) => [name.toLowerCase(), line.slice(from, columns[i + 1]?.from).trim()]),
    ),
  )
}

type Telling = (kubectl: BoundKubectl) => Promise<void>

export interface KubectlStory {
  /** A test, told once for each kubectl there is. */
  promise(title: string, run: Telling): void
  /** Declares the tests: the whole story with one kubectl, then with the next. */
  tell(kubeconfig: () => string): void
}

export function kubectlStory(test: Test, clients: readonly Kubectl[]): KubectlStory {
  const promises: (readonly [title: string, run: Telling])[] = []
  return {
    promise: (title, run) => void promises.push([title, run]),
    tell: (kubeconfig) => {
      for (const client of clients) {
        const kubectl = bindKubectl(client, kubeconfig)
        for (const [title, run] of promises) test(`${title} (kubectl ${client.version})`, () => run(kubectl))
      }
    },
  }
}
