/** Which kubeconfig a command uses, and the sentence for when there is none. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface KubeconfigChoice {
  readonly kubeconfig?: string
  readonly dataDir?: string
}

/** Flag, then FLOTILLA_DATA_DIR, then where `flotilla up` keeps its data by itself. */
export function dataDirOf(flag: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  if (flag) return flag
  if (env.FLOTILLA_DATA_DIR) return env.FLOTILLA_DATA_DIR
  return process.getuid?.() === 0 ? '/var/lib/flotilla' : join(env.HOME || homedir(), '.local/share/flotilla')
}

/**
 * The files to read, first one first: `--kubeconfig`, `--data-dir`, $KUBECONFIG (a list), the data directory. Throws a
 * sentence with the next step where there is no such file.
 */
export function kubeconfigPaths(
  { kubeconfig, dataDir }: KubeconfigChoice,
  env: Readonly<Record<string, string | undefined>>,
): [string, ...string[]] {
  const listed = dataDir ? [] : (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '')
  const wanted = kubeconfig ? [kubeconfig] : listed.length > 0 ? listed : [join(dataDirOf(dataDir, env), 'kubeconfig')]
  const [first, ...rest] = wanted.filter((path) => existsSync(path))
  if (first === undefined) throw new Error(missing(wanted, kubeconfig, listed))
  return [first, ...rest]
}

function missing(wanted: readonly string[], flag: string | undefined, listed: readonly string[]): string {
  const paths = wanted.join(', ')
  if (flag) return `there is no kubeconfig at ${paths}`
  if (listed.length > 0) return `there is no kubeconfig at ${paths}, where KUBECONFIG points; unset it or correct it`
  return `there is no kubeconfig at ${paths}: start a fleet with "flotilla up", or name one with --kubeconfig FILE`
}
