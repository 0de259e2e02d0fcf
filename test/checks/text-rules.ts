import type { Outcome } from './check.ts'
import type { Source } from './sources.ts'

interface TextRule {
  readonly applies: (path: string) => boolean
  readonly forbidden: RegExp
  readonly why: string
}

const MAX_LINES = 250

const isScript = (path: string) => /\.(?:ts|mjs)$/.test(path)
const isTest = (path: string) => path.endsWith('.test.ts')
/** Prose and licence texts may speak of what code may not do. */
const isProse = (path: string) => path.endsWith('.md') || path === 'LICENSE'
const isSetUp = (path: string) => /(?:^|\/)\.npmrc$|^\.ci\/|\.sh$/.test(path)

const RULES: readonly TextRule[] = [
  {
    applies: isTest,
    forbidden: /\bawait\s+(?:sleep|delay|pause|setTimeout)\s*\(/,
    why: 'tests wait on conditions (test/support/until.ts), they do not sleep',
  },
  { applies: isTest, forbidden: /\b\w+\.only\(/, why: 'the other tests of the file would not run' },
  {
    applies: (path) => isScript(path) && !path.startsWith('test/'),
    forbidden: /\b(?:TODO|FIXME|XXX)\b/,
    why: 'finish it, or say what does not work in an issue',
  },
  {
    applies: (path) => isScript(path) && !path.startsWith('test/'),
    forbidden: /\bsetTimeout\([^)]*\b(?:poll|loop|tick|again)\b/,
    why: 'no loops of setTimeout: node:timers/promises with a signal can be stopped',
  },
  { applies: (path) => !isProse(path), forbidden: /(?:^|[^a-z])\/(?:work|root)\/[\w.]/, why: 'a path of one machine' },
  {
    applies: (path) => path === 'package-lock.json',
    forbidden: /"resolved":\s*"https?:/,
    why: 'the lock file names no registry (omit-lockfile-registry-resolved in .npmrc)',
  },
  { applies: isSetUp, forbidden: /https?:\/\/(?!127\.0\.0\.1|localhost)/, why: 'set-up names no host' },
]

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

function breaches({ path, text }: Source): string[] {
  return RULES.filter(({ applies }) => applies(path)).flatMap(({ forbidden, why }) => {
    const all = [...text.matchAll(new RegExp(forbidden.source, 'gm'))]
    return all.map((match) => `${path}:${lineOf(text, match.index)}: ${match[0].trim()}: ${why}`)
  })
}

/** The comment that opens a file (behind what tells the test runner about it), in which a long file states its reason. */
function statesReason(text: string): boolean {
  const header =
    /^(?:#![^\n]*\n)?(?:\/\/ (?:heavy|deadline)\b[^\n]*\n)?(?:\/\*\*?[\s\S]*?\*\/|(?:\/\/[^\n]*\n)+)/.exec(text)?.[0] ??
    ''
  return /\blong(?:er)?\b|\b250 lines\b/i.test(header)
}

function lengthProblem({ path, text }: Source): string[] {
  const lines = text.trimEnd().split('\n').length
  if (!isScript(path) || lines <= MAX_LINES || statesReason(text)) return []
  return [`${path}: ${lines} lines: split it, or say in its first comment why it is longer than ${MAX_LINES} lines`]
}

/** Judges the text of every file: bounds, and what must not be written. Pure. */
export function textRules(sources: readonly Source[]): Outcome {
  const problems = sources.flatMap((source) => [...breaches(source), ...lengthProblem(source)])
  return { problems, looked: `${sources.length} files` }
}
