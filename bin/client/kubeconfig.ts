/** Which kubeconfig a command uses, and the sentence for when there is none. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { DEFAULT_DATA_DIR } from '../defaults.ts'

export interface KubeconfigChoice {
  readonly kubeconfig?: string
  readonly dataDir?: string
}

/**
 * The files to read, first one first: `--kubeconfig`, `--data-dir`, $FLOTILLA_KUBECONFIG, $KUBECONFIG (a list), then the
 * data directory. Throws a sentence with the next step where there is no such file.
 */
export function kubeconfigPaths(
  { kubeconfig, dataDir }: KubeconfigChoice,
  env: Readonly<Record<string, string | undefined>>,
): [string, ...string[]] {
  const named = kubeconfig || (dataDir ? undefined : env.FLOTILLA_KUBECONFIG)
  const listed = dataDir ? [] : (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '')
  const usual = join(dataDir || env.FLOTILLA_DATA_DIR || DEFAULT_DATA_DIR, 'kubeconfig')
  const wanted = named ? [named] : listed.length > 0 ? listed : [usual]
  const [first, ...rest] = wanted.filter((path) => existsSync(path))
  if (first === undefined) throw new Error(missing(wanted, named, listed))
  return [first, ...rest]
}

function missing(wanted: readonly string[], named: string | undefined, listed: readonly string[]): string {
  const paths = wanted.join(', ')
  if (named) return `there is no kubeconfig at ${paths}`
  if (listed.length > 0) return `there is no kubeconfig at ${paths}, where KUBECONFIG points; unset it or correct it`
  return `there is no kubeconfig at ${paths}: start a fleet with "flotilla up", or name one with --kubeconfig FILE`
}
