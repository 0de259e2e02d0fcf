/**
 * Transcripts: what a person types into a shell, and what they then read. A file is a row of scenes:
 *
 *     == a config map is made, and made only once
 *     -- colors.yaml                          a file in the scene's folder, up to the line `--`
 *     apiVersion: v1
 *     --
 *     $ kubectl create -f colors.yaml         a command line for bash; its exit code must be 0 …
 *     configmap/colors created
 *     $ kubectl create -f colors.yaml
 *     ! Error from server (AlreadyExists): …  … `!` is standard error, `…` any text of one line
 *     ? 1                                     … unless told otherwise
 *     $~ kubectl get events                   asked again until it prints this
 *     ...                                     any number of lines
 *     $& kubectl get configmaps -w            begun, and ended with the scene, when all of this has been printed
 *
 * `@1.20` and `@1.32` before any such line, a title too, keep it to that kubectl; `#` begins a comment. Blank lines
 * mean nothing, nor does indentation, and blanks between words are as good as one. `$NS` is the scene's namespace; `\` before a line of
 * output keeps it from being read as any of these.
 */

export type Way = 'once' | 'until' | 'behind'

export interface Step {
  /** In its file, from 1. */
  readonly line: number
  readonly command: string
  readonly way: Way
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  readonly code: number
}

export interface Scene {
  readonly title: string
  readonly files: ReadonlyMap<string, string>
  readonly steps: readonly Step[]
}

interface Draft extends Step {
  readonly stdout: string[]
  readonly stderr: string[]
  code: number
}

interface Line {
  readonly number: number
  readonly text: string
}

const WAYS: Readonly<Record<string, Way>> = { '': 'once', '~': 'until', '&': 'behind' }
const TITLE = /^(?:@\d+\.\d+ )?== /
const FILE = /^-- (\S+)$/
const END_OF_FILE = '--'
const ONLY = /^@(\d+\.\d+) /

/** The scenes that a kubectl of this version is to play. Throws, with the line's number, where a line has no place. */
export function parseTranscript(text: string, version: string): Scene[] {
  const lines = text.split('\n').map((line, index): Line => ({ number: index + 1, text: line }))
  const heads = lines.flatMap(({ text }, index) => (TITLE.test(text) ? [index] : []))
  const early = lines.slice(0, heads[0]).find(({ text }) => meansSomething(text))
  if (early) throw new Error(`line ${early.number}: nothing comes before the first scene`)
  return heads
    .map((head, index) => lines.slice(head, heads[index + 1]))
    .filter(([title]) => isFor(version, title?.text ?? ''))
    .map(([title, ...rest]) => ({ title: title?.text.replace(TITLE, '') ?? '', ...parseScene(rest, version) }))
}

function isFor(version: string, line: string): boolean {
  return (ONLY.exec(line)?.[1] ?? version) === version
}

function meansSomething(line: string): boolean {
  return line.trim() !== '' && !line.startsWith('#')
}

function parseScene(lines: readonly Line[], version: string): Omit<Scene, 'title'> {
  const files = new Map<string, string>()
  const steps: Draft[] = []
  for (let at = 0; at < lines.length; at++) {
    const { number, text } = lines[at] as Line
    const name = FILE.exec(text)?.[1]
    if (name !== undefined) {
      const end = lines.findIndex((line, index) => index > at && line.text === END_OF_FILE)
      if (end < 0) throw new Error(`line ${number}: a file without its end`)
      files.set(
        name,
        lines
          .slice(at + 1, end)
          .map((line) => `${line.text}\n`)
          .join(''),
      )
      at = end
    } else if (isFor(version, text) && meansSomething(text)) takeLine(steps, text.replace(ONLY, ''), number)
  }
  return { files, steps }
}

function takeLine(steps: Draft[], text: string, line: number): void {
  const command = /^\$([~&]?) (.*)$/.exec(text)
  if (command) {
    const way = WAYS[command[1] ?? ''] ?? 'once'
    steps.push({ line, command: command[2] ?? '', way, stdout: [], stderr: [], code: 0 })
    return
  }
  const step = steps.at(-1)
  if (step === undefined) throw new Error(`line ${line}: an answer before any command`)
  if (text.startsWith('! ')) step.stderr.push(text.slice(2))
  else if (text.startsWith('? ')) step.code = Number(text.slice(2))
  else step.stdout.push(text.replace(/^\\/, ''))
}
