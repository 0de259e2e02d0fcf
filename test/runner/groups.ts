import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'

export type GroupName = 'unit' | 'integration' | 'lab' | 'faults'

export interface Group {
  readonly name: GroupName
  /** How many files run at a time. Files marked heavy always run alone. */
  readonly lanes: number
  /** How many files share a process as long as all of them pass. */
  readonly batch: number
  /** For one file, unless its first line says otherwise. */
  readonly deadlineMs: number
  /** Wall time of the whole group. With CI=true more than this is a failure. */
  readonly budgetMs: number
}

export interface TestFile {
  /** Relative to the root of the repository, with forward slashes. */
  readonly path: string
  readonly deadlineMs: number
  readonly heavy: boolean
}

/**
 * unit takes 20 s on two quiet processors; CI may be twice as busy. integration holds the budgets of design.md D11 for the main job (150 s),
 * the Kubernetes API (120 s), the store (150 s) and etcd v2 (120 s).
 */
export const GROUPS: Readonly<Record<GroupName, Group>> = {
  unit: { name: 'unit', lanes: availableParallelism() + 1, batch: 24, deadlineMs: 30_000, budgetMs: 45_000 },
  integration: { name: 'integration', lanes: availableParallelism(), batch: 1, deadlineMs: 120_000, budgetMs: 540_000 },
  lab: { name: 'lab', lanes: 2, batch: 1, deadlineMs: 180_000, budgetMs: 600_000 },
  faults: { name: 'faults', lanes: 1, batch: 1, deadlineMs: 600_000, budgetMs: 1_800_000 },
}

/**
 * What the first line of a test file may say: `// deadline: 90 s` (its own deadline), `// heavy` (nothing else runs
 * beside it), or both: `// heavy, deadline: 90 s`.
 */
export function directives(firstLine: string, group: Group): Omit<TestFile, 'path'> {
  const comment = /^\/\/(.*)/.exec(firstLine)?.[1] ?? ''
  const seconds = /\bdeadline: (\d+) s\b/.exec(comment)?.[1]
  return {
    deadlineMs: seconds === undefined ? group.deadlineMs : Number(seconds) * 1000,
    heavy: /^ heavy\b|, heavy\b/.test(comment),
  }
}

function firstLineOf(path: string): string {
  const text = readFileSync(path, 'utf8')
  return text.slice(0, text.indexOf('\n'))
}

function testFilesBelow(folder: string): string[] {
  let entries: string[]
  try {
    entries = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return entries.filter((entry) => entry.endsWith('.test.ts')).sort()
}

/** The test files of a group whose path contains one of the filters (all of them when there is none), sorted. */
export function filesOf(root: string, group: Group, filters: readonly string[] = []): TestFile[] {
  const folder = join(root, 'test', group.name)
  return testFilesBelow(folder)
    .map((entry) => relative(root, join(folder, entry)))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .map((path) => ({ path, ...directives(firstLineOf(join(root, path)), group) }))
}
