/** The environment of a service: systemd's small base, never the agent's own, then what the unit file adds. */
import { readFile } from 'node:fs/promises'
import type { Account } from './accounts.ts'
import { LaunchError } from './launcher.ts'
import type { ServiceSpec } from './service-spec.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** No step of systemd's own numbering: the run ends with result `resources`. */
const RESOURCES = 0

/** Rejects with LaunchError when a file that is not optional cannot be read. */
export async function serviceEnvironment(
  spec: ServiceSpec,
  account: Account,
  invocation: string,
): Promise<Map<string, string>> {
  const environment = new Map<string, string>([
    ['PATH', PATH],
    ['LANG', process.env.LANG ?? 'C.UTF-8'],
    ...account.variables,
    ['INVOCATION_ID', invocation],
  ])
  for (const name of spec.passEnvironment) {
    const value = process.env[name]
    if (value !== undefined) environment.set(name, value)
  }
  for (const [name, value] of spec.environment) environment.set(name, value)
  for (const { path, optional } of spec.environmentFiles) {
    for (const [name, value] of parseEnvironmentFile(await readText(path, optional))) environment.set(name, value)
  }
  for (const entry of spec.unsetEnvironment) {
    const [name = '', value] = entry.split('=', 2)
    if (value === undefined || environment.get(name) === value) environment.delete(name)
  }
  return environment
}

async function readText(path: string, optional: boolean): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (optional && (error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new LaunchError(RESOURCES, `Failed to load environment files: ${(error as Error).message}`)
  }
}

/** Shell-like assignments without a shell: comments, quotes, backslash at the end joins lines; nothing is replaced. */
export function parseEnvironmentFile(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.replace(/\\\r?\n/g, '').split(/\r?\n/)) {
    const match = /^\s*(?![#;])([A-Za-z_][A-Za-z0-9_]*)\s*=\s*([\s\S]*)$/.exec(line)
    if (match) found.set(match[1] ?? '', unquote((match[2] ?? '').trim()))
  }
  return found
}

function unquote(value: string): string {
  const single = /^'([^']*)'$/.exec(value)?.[1]
  if (single !== undefined) return single
  const double = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1]
  return (double ?? value).replace(/\\(.)/g, '$1')
}
