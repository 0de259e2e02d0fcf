import { posix } from 'node:path'
import type { Outcome } from './check.ts'
import type { Source } from './sources.ts'

export interface Import {
  readonly from: string
  /** As written: `./plan.ts`, `zod`. */
  readonly specifier: string
  /** Loaded while the importing module loads: cycles among these break initialisation; types and import() do not. */
  readonly eager: boolean
}

/** Statements begin a line in formatted code, which keeps imports quoted in comments and strings out of sight. */
const STATEMENT =
  /^(?:import|export)\s+(?<type>type\s+)?(?:[\w$]+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?)?\s*from\s*['"](?<specifier>[^'"\n]+)['"]/gm
const SIDE_EFFECT = /^import\s*['"](?<specifier>[^'"\n]+)['"]/gm
const CALL = /\bimport\(\s*['"](?<specifier>[^'"\n]+)['"]\s*\)/g

/** All imports and re-exports of a file: static, of types only, for their effect, and by import(). */
export function importsOf({ path, text }: Source): Import[] {
  const found = (pattern: RegExp, isEager: (groups: Record<string, string | undefined>) => boolean): Import[] =>
    [...text.matchAll(pattern)].map(({ groups = {} }) => ({
      from: path,
      specifier: groups.specifier ?? '',
      eager: isEager(groups),
    }))
  return [
    ...found(STATEMENT, ({ type }) => type === undefined),
    ...found(SIDE_EFFECT, () => true),
    ...found(CALL, () => false),
  ]
}

const isOurs = (specifier: string) => specifier.startsWith('.')

function target({ from, specifier }: Import): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier))
}

/** The parts of design.md §2, the most particular first; a file belongs to the first that holds it. */
const PARTS = [
  'crds',
  'controllers/lib',
  'controllers',
  'node-agent',
  'api-server/store',
  'api-server/registry',
  'api-server/auth',
  'api-server/legacy/etcd-v2',
  'api-server/legacy',
  'api-server/http',
  'api-server',
  'bin',
  'test',
] as const

type Part = (typeof PARTS)[number]

/** Files at the top of api-server that a door uses (its version, say) are leaves: the search for cycles sees to it. */
const SERVER_DOOR = ['crds', 'api-server', 'api-server/auth', 'api-server/registry'] as const

/** What each part may use besides itself. `*` is everything. */
const MAY_USE: Readonly<Record<Part, readonly (Part | '*')[]>> = {
  crds: [],
  'controllers/lib': ['crds'],
  controllers: ['crds', 'controllers/lib'],
  'node-agent': ['crds', 'controllers/lib'],
  'api-server/store': ['crds'],
  'api-server/registry': ['crds', 'api-server/store'],
  'api-server/auth': ['crds'],
  'api-server/legacy': SERVER_DOOR,
  'api-server/legacy/etcd-v2': [...SERVER_DOOR, 'api-server/legacy', 'api-server/store'],
  'api-server/http': SERVER_DOOR,
  'api-server': [
    ...SERVER_DOOR,
    'api-server/store',
    'api-server/legacy',
    'api-server/legacy/etcd-v2',
    'api-server/http',
  ],
  bin: ['*'],
  test: ['*'],
}

function partOf(path: string): Part | undefined {
  return PARTS.find((part) => path.startsWith(`${part}/`))
}

function arrowProblem(each: Import): string | undefined {
  const to = target(each)
  const [user, used] = [partOf(each.from), partOf(to)]
  if (user === undefined || user === used) return undefined
  if (to === 'package.json') return undefined // it holds the version
  if (used === undefined) return `${each.from}: imports ${to}, which is outside the parts of design.md §2`
  if (MAY_USE[user].some((allowed) => allowed === '*' || allowed === used)) return undefined
  return `${each.from}: imports ${to}, but ${user} may use only ${['itself', ...MAY_USE[user]].join(', ')}`
}

function suffixProblem({ from, specifier }: Import): string | undefined {
  return /\.(?:ts|mjs|json)$/.test(specifier) ? undefined : `${from}: import '${specifier}' with its .ts suffix`
}

/** Groups of files that load each other, each told once as a path that leads back to its beginning. */
export function cyclesAmong(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const finished = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file)
    if (at >= 0) cycles.push([...trail.slice(at), file])
    if (at >= 0 || finished.has(file)) return
    for (const next of edges.get(file) ?? []) visit(next, [...trail, file])
    finished.add(file)
  }
  for (const file of edges.keys()) visit(file, [])
  return cycles
}

function eagerEdges(imports: readonly Import[]): Map<string, string[]> {
  const edges = new Map<string, string[]>()
  for (const each of imports) {
    if (each.eager) edges.set(each.from, [...(edges.get(each.from) ?? []), target(each)])
  }
  return edges
}

/** Judges who imports whom. Pure. */
export function importRules(sources: readonly Source[]): Outcome {
  const scripts = sources.filter(({ path }) => /\.(?:ts|mjs)$/.test(path))
  const imports = scripts.flatMap(importsOf).filter(({ specifier }) => isOurs(specifier))
  const single = imports.flatMap((each) => [arrowProblem(each), suffixProblem(each)])
  const cycles = cyclesAmong(eagerEdges(imports)).map((cycle) => `import cycle: ${cycle.join(' → ')}`)
  const problems = [...single.filter((problem) => problem !== undefined), ...cycles]
  return { problems, looked: `${imports.length} imports of ${scripts.length} files` }
}
