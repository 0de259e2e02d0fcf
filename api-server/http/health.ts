/** `/livez`, `/readyz` and `/healthz`, with their checks by name, in the words of a kube-apiserver. */
import { noSuchPath } from '../registry/errors.ts'

export interface HealthCheck {
  readonly name: string
  /** A failure means that only a restart helps; others just mean: not now. */
  readonly live: boolean
  /** Why it fails, or undefined. Answers at once. */
  failing(): string | undefined
}

export interface HealthAnswer {
  readonly code: 200 | 500
  readonly text: string
}

const PATH = /^\/(livez|readyz|healthz)(?:\/(.+))?$/

/** Undefined where the path asks for no health. Throws 404 for a check that there is not. */
export function healthOf(
  checks: readonly HealthCheck[],
  path: string,
  query: URLSearchParams,
): HealthAnswer | undefined {
  const [, endpoint, name] = PATH.exec(path) ?? []
  if (endpoint === undefined) return undefined
  const asked = checks.filter(({ live }) => live || endpoint === 'readyz')
  return name === undefined ? all(asked, endpoint, query) : one(asked, name)
}

function one(checks: readonly HealthCheck[], name: string): HealthAnswer {
  const check = checks.find((each) => each.name === name)
  if (check === undefined) throw noSuchPath()
  const reason = check.failing()
  return reason === undefined ? { code: 200, text: 'ok' } : { code: 500, text: `internal server error: ${reason}\n` }
}

function all(checks: readonly HealthCheck[], endpoint: string, query: URLSearchParams): HealthAnswer {
  const excluded = new Set(query.getAll('exclude').filter((name) => name !== ''))
  const unknown = [...excluded].filter((name) => !checks.some((check) => check.name === name))
  const lines: string[] = []
  let failed = false
  for (const check of checks) {
    const reason = excluded.has(check.name) ? undefined : check.failing()
    failed ||= reason !== undefined
    if (excluded.has(check.name)) lines.push(`[+]${check.name} excluded: ok`)
    else lines.push(reason === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: ${reason}`)
  }
  if (unknown.length > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${quoted(unknown)}`)
  const details = lines.map((line) => `${line}\n`).join('')
  if (failed) return { code: 500, text: `${details}${endpoint} check failed\n` }
  return { code: 200, text: query.has('verbose') ? `${details}${endpoint} check passed\n` : 'ok' }
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ')
}
